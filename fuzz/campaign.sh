#!/bin/sh
# Fuzzes every reader, guided by coverage: fuzz/campaign.sh [RUNS [TARGET ...]]
# needs `rustup toolchain install nightly` and `cargo install cargo-fuzz`; the seeds are files of our own that the test
# writes. Stops at the first finding, which lies in fuzz/artifacts then.
set -eu
cd "$(dirname "$0")/.."
runs=${1:-1000000}
[ $# -gt 0 ] && shift
MOTIONFIT_WRITE_CORPUS=fuzz/corpus cargo test --release --test fuzz_readers
for target in ${*:-npy npz bvh trc pickle torch c3d markers body_model keypoints scene obj gltf glb}; do
    cargo +nightly fuzz run "$target" -- -runs="$runs" -rss_limit_mb=1024 -timeout=5
done
