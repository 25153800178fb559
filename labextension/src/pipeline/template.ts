/** How a pipeline begins. */

export const TEMPLATE = `# Stages: what each runs, what it needs and what it makes. https://dvc.org/doc
# If this folder is not under DVC yet, run once: dvc init
#
# stages:
#   prepare:
#     cmd: papermill prepare.ipynb prepare.out.ipynb
#     deps: [prepare.ipynb, data/raw.csv]
#     outs: [data/clean.csv]
#   train:
#     cmd: papermill train.ipynb train.out.ipynb -p depth \${depth}
#     deps: [train.ipynb, data/clean.csv]
#     params: [depth]
#     outs: [model.skops]
#     metrics: [metrics.json: {cache: false}]
stages: {}
`;
