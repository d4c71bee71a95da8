#!/usr/bin/env python3
"""What many ranks would do, from what a few have done.

Reads the lines "step N: computing A B s, waiting W s, adding up C s, M bytes sent" that `motionfit train -v` prints,
and the rows (clips.json) of an evaluation, perhaps of the first seconds of clips whose lengths are in a file. Draws, for every number of ranks, steps from the measured times of
computing: a step takes as long as the slowest of as many draws as there are ranks, and the sums of the gradients.
Evaluations are drawn as queues: whoever is free takes the next clip, the longest first.
"""

import argparse
import heapq
import json
import random
import re
import statistics

LINE = re.compile(r"step \d+: computing ([\d. ]+) s, waiting ([\d.]+) s, adding up ([\d.]+) s, (\d+) bytes")
RANKS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 400]


def read_steps(path):
    """Computing times of the ranks of every step, and bytes sent."""
    with open(path, encoding="utf-8") as file:
        found = [LINE.search(line) for line in file]
    return [([float(s) for s in m[1].split()], float(m[3]), int(m[4])) for m in found if m]


def step_seconds(times, ranks, parameters, network):
    """Time of one step: the slowest draw, then slices to all, and sums to all."""
    latency, bandwidth = network
    slowest = max(random.choices(times, k=ranks))
    if ranks == 1:
        return slowest, slowest, 0.0
    sent = 4 * parameters * 2 * (ranks - 1) / ranks
    # Three exchanges with every other rank: what was found, the slices of gradients, the slices of sums.
    talking = 3 * (ranks - 1) * latency + sent / bandwidth
    return slowest + talking, slowest, talking


def training(times, parameters, network, draws):
    """A line for every number of ranks, one group on each."""
    mean = statistics.fmean(times)
    print("| ranks | step, s | of it waiting, s | talking, s | efficiency |\n|---:|---:|---:|---:|---:|")
    for ranks in RANKS:
        steps = [step_seconds(times, ranks, parameters, network) for _ in range(draws)]
        step, slowest, talking = (statistics.fmean(column) for column in zip(*steps))
        print(f"| {ranks} | {step:.2f} | {slowest - mean:.2f} | {talking:.4f} | {mean / step:.2f} |")


def queue_seconds(jobs, ranks, latency):
    """When the last of `jobs` is done, the longest handed out first."""
    free = [0.0] * ranks
    for seconds in sorted(jobs, reverse=True):
        heapq.heapreplace(free, free[0] + seconds + latency)
    return max(free)


def jobs_drawn(rows, lengths, clips):
    """Computing times of `clips` clips: those measured, or the pace of one of them over the length of another."""
    if lengths:
        paces = [row["seconds"] / row["clip_seconds"] for row in rows]
        return [random.choice(paces) * random.choice(lengths) for _ in range(clips)]
    return random.choices([row["seconds"] for row in rows], k=clips)


def evaluation(jobs, latency):
    """A line for every number of ranks."""
    longest, mean = max(jobs), statistics.fmean(jobs)
    print(f"{len(jobs)} clips of {mean:.0f} s, the longest {longest:.0f} s of computing\n")
    print("| ranks | hours | efficiency |\n|---:|---:|---:|")
    for ranks in RANKS:
        took = queue_seconds(jobs, ranks, latency)
        print(f"| {ranks} | {took / 3600:.2f} | {sum(jobs) / ranks / took:.3f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", help="what train -v has printed, on one rank with one group")
    parser.add_argument("--rows", help="clips.json of an evaluation")
    parser.add_argument("--lengths", help="lengths of whole clips, s, one a line")
    parser.add_argument("--parameters", type=int, default=832526, help="meta-parameters of the network")
    parser.add_argument("--clips", type=int, default=11000, help="clips of the evaluation to be modelled")
    parser.add_argument("--latency", type=float, default=20e-6, help="of a message, s")
    parser.add_argument("--poll", type=float, default=2e-3, help="of an answer of the queue, s")
    parser.add_argument("--bandwidth", type=float, default=1.0e9, help="of a rank, bytes/s")
    parser.add_argument("--draws", type=int, default=2000, help="steps drawn for every number of ranks")
    arguments = parser.parse_args()
    random.seed(0)
    if arguments.steps:
        times = [seconds for ranks, _, _ in read_steps(arguments.steps) for seconds in ranks]
        network = (arguments.latency, arguments.bandwidth)
        training(times, arguments.parameters, network, arguments.draws)
    if arguments.rows:
        with open(arguments.rows, encoding="utf-8") as file:
            rows = json.load(file)
        lengths = []
        if arguments.lengths:
            with open(arguments.lengths, encoding="utf-8") as file:
                lengths = [float(line) for line in file]
        evaluation(jobs_drawn(rows, lengths, arguments.clips), arguments.poll)


if __name__ == "__main__":
    main()
