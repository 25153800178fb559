"""Stage `prepare`: split the data. Put your own in place of the example's."""

from pathlib import Path

import yaml
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split


def main() -> None:
    """Write out/train.parquet and out/validation.parquet."""
    params = yaml.safe_load(Path("params.yaml").read_text("utf-8"))["prepare"]
    # 569 tumours by 30 measurements; target 1 is benign. It comes with scikit-learn.
    table = load_breast_cancer(as_frame=True).frame
    train, validation = train_test_split(
        table,
        test_size=params["validation"],
        random_state=params["seed"],
        stratify=table["target"],
    )
    folder = Path("out")
    folder.mkdir(exist_ok=True)
    train.to_parquet(folder / "train.parquet", index=False)
    validation.to_parquet(folder / "validation.parquet", index=False)
    print(f"{len(train)} rows to train on, {len(validation)} to validate")


if __name__ == "__main__":
    main()
