use super::*;

#[test]
fn start_weights_count_until_there_is_a_checkpoint() {
    let dir = tempfile::tempdir().unwrap();
    let configs = Path::new(env!("CARGO_MANIFEST_DIR")).join("configs");
    let args = TrainArgs {
        config: configs.join("train-walking-tune.json"),
        motions: Vec::new(),
        reading: ReadingArgs::default(),
        recorded: None,
        out: dir.path().to_path_buf(),
        resume: true,
        checkpoint_seconds: 120,
        force: false,
    };
    let config = TrainingConfig::read(&args.config).unwrap();
    assert!(start(&args, &config).unwrap().is_some());
    std::fs::write(args.out.join(CHECKPOINT), b"").unwrap();
    assert!(start(&args, &config).unwrap().is_none());
}
