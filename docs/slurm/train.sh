#!/bin/bash
# A training whose groups 64 processes share: give it as many `groups` in the configuration, or a multiple.
#SBATCH --job-name=train
#SBATCH --ntasks=64
#SBATCH --cpus-per-task=1
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -eu

mpirun motionfit train --config configs/train-walking.json --motions clips/ --threads "$SLURM_CPUS_PER_TASK" --out out/training --resume
