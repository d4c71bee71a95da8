#!/bin/bash
# An evaluation in 64 shards that do not talk to each other: no MPI. Afterwards one process makes the tables:
#   id=$(sbatch --parsable docs/slurm/shards.sh)
#   sbatch --dependency=afterany:$id docs/slurm/tables.sh
#SBATCH --job-name=shards
#SBATCH --array=1-64
#SBATCH --cpus-per-task=4
#SBATCH --time=24:00:00
#SBATCH --requeue
set -eu

motionfit evaluate --motions clips/ --threads "$SLURM_CPUS_PER_TASK" --out out/evaluation --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_MAX"
