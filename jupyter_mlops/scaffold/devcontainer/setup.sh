#!/bin/sh
# Once in each clone: the locked packages, and what git does with notebooks.
set -eu
cd "$(dirname "$0")/.."

[ -d .venv ] || python3 -m venv .venv
PATH=$PWD/.venv/bin:$PATH
python -m pip install --quiet --requirement requirements.txt

git config filter.nbstripout.clean 'nbstripout --keep-id'
git config filter.nbstripout.smudge cat
git config diff.jupyternotebook.command 'git-nbdiffdriver diff'
git config merge.jupyternotebook.driver 'git-nbmergedriver merge %O %A %B %L %P'
git config merge.jupyternotebook.name 'notebooks by cells'
[ ! -f .pre-commit-config.yaml ] || pre-commit install
