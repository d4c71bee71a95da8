use super::*;

fn row(clip: &str, optimizer: &str, losses: &[f64]) -> Row {
    Row {
        clip: clip.into(),
        category: "walk".into(),
        first: 0,
        optimizer: optimizer.into(),
        budget: losses.len(),
        evaluations: losses.len(),
        gradients: losses.len(),
        best_loss: losses.to_vec(),
        mpjpe_global_mm: losses.iter().map(|loss| 10.0 * loss).collect(),
        stopped_at: losses.len(),
        seconds: 1.0,
        step_ms: 0.5,
    }
}

#[test]
fn a_faster_optimizer_has_ratios_below_one() {
    let mut rows = Vec::new();
    for clip in ["a", "b", "c"] {
        rows.push(row(clip, "bfgs", &[8.0, 6.0, 4.0, 2.0]));
        rows.push(row(clip, "ours", &[8.0, 2.0, 1.0]));
    }
    let compared = |rows: &[Row]| lines(rows)[1].mpjpe_to_baseline.is_some();
    assert!(!compared(&rows)); // four evaluations are not 71
    rows.iter_mut().for_each(|row| row.budget *= 20);
    assert!(compared(&rows));
    let lines = lines(&rows);
    assert_eq!(lines.len(), 2);
    let ours = &lines[1];
    assert_eq!(ours.evaluations_to_baseline, Some(0.5));
    let ratio = ours.mpjpe_to_baseline.unwrap();
    assert_eq!((ratio.mean, ratio.low, ratio.high), (0.5, 0.5, 0.5));
    assert!((ours.loss - 1.0).abs() < 1e-12);
    let page = markdown(&lines);
    assert!(
        page.contains("| ours | 3 | 60 |") && page.contains("### in domain"),
        "{page}"
    );
}

#[test]
fn evaluations_until_what_levenberg_marquardt_reaches_are_counted() {
    let mut rows = Vec::new();
    for clip in ["a", "b", "c"] {
        rows.push(row(clip, "lm", &[8.0, 3.0, 1.5, 1.0]));
        rows.last_mut().unwrap().budget = 10;
        rows.push(row(clip, "ours", &[8.0, 2.0, 0.9]));
        rows.push(row(clip, "slow", &[8.0, 7.0, 6.0]));
    }
    let lines = lines(&rows);
    let reached = |i: usize| (lines[i].to_twice_lm, lines[i].to_lm_after_10);
    assert_eq!(reached(0), (Some(3.0), Some(4.0)));
    assert_eq!(reached(1), (Some(2.0), Some(3.0)));
    assert_eq!(reached(2), (Some(f64::INFINITY), Some(f64::INFINITY)));
    assert_eq!(lines[1].seconds, 1.0);
    assert!(markdown(&lines).contains("| not reached | not reached |"));
}

#[test]
fn intervals_hold_the_mean_and_widen_with_spread() {
    let wide = interval(&[0.0, 10.0, 20.0, 30.0]);
    assert_eq!(wide.mean, 15.0);
    assert!(wide.low < 10.0 && wide.high > 20.0, "{wide:?}");
    let narrow = interval(&[15.0; 4]);
    assert_eq!((narrow.low, narrow.high), (15.0, 15.0));
}
