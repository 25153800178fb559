"""Stage `compare`: both models on the week's last two days, which neither has seen."""

import json
from pathlib import Path

import flights_features as ff
import joblib
import pandas as pd
from sklearn.metrics import average_precision_score, log_loss, roc_auc_score, roc_curve

MODELS = ["boosting", "logistic"]


def compare(test: pd.DataFrame, source: Path, target: Path) -> pd.DataFrame:
    """Write each model's metrics and ROC curve to a folder, and return the metrics."""
    target.mkdir(parents=True, exist_ok=True)
    late, scores = test[ff.LABEL], {}
    for name in MODELS:
        risk = joblib.load(source / name / "model.joblib").predict_proba(test[ff.FEATURES])[:, 1]
        scores[name] = {
            "auc": roc_auc_score(late, risk),
            "average_precision": average_precision_score(late, risk),
            "log_loss": log_loss(late, risk),
            "flights": len(test),
        }
        (target / f"{name}.json").write_text(json.dumps(scores[name], indent=2) + "\n", "utf-8")
        false, true, _ = roc_curve(late, risk)
        curve = pd.DataFrame({"false_positive_rate": false, "true_positive_rate": true})
        curve.round(6).to_csv(target / f"{name}.csv", index=False)
    return pd.DataFrame(scores).T


if __name__ == "__main__":
    table = pd.read_parquet("week/features.parquet")
    print(compare(table[table["split"] == "test"], Path("week"), Path("week/test")).round(3))
