//! JUnit, Markdown and differences, for what does not occur in the demo.

use bittrue_record::{Diff, ExitCode, FileInfo, Judgement, Report};
use bittrue_report::{RunFailure, diff_text, junit, junit_failure, markdown, markdown_failure};
use insta::assert_snapshot;

use crate::fixtures::{Error, against_qkeras, equal, jet_mlp_sat, jet_mlp_wrap, report, warning};

type TestResult = Result<(), Error>;

/// Bit-exact at the output: inside a layer differs, and some elements are ambiguous.
fn inside() -> Result<Report, Error> {
    let layers = vec![
        equal("bn", "BatchNormalization", "ap_fixed<41,7,TRN,WRAP>", 8_000)?
            .own(7_953)
            .at(400, 2.870_569_005_608_558_7e-6, 0, 1)
            .audited(0, 0),
        equal("fc3", "QDense", "ap_fixed<15,4,TRN,WRAP>", 12_800)?.flagged("float32-ste", 31),
        equal("softmax", "Activation", "-", 2_000)?
            .ambiguous(17)
            .flagged("function-band", 2_000)
            .audited(0, 2_000)
            .output(),
    ];
    let mut report = report(400, vec![against_qkeras("hls4ml:sat", 400, layers)?]);
    report.comparisons[0].not_formed = vec!["relu".to_owned()];
    report.proxy = Some(FileInfo { path: "proxy.h5".to_owned(), sha256: "ab".repeat(32) });
    report.events.sha256 = Some("cd".repeat(32));
    report.input_types = vec!["in=ap_fixed<14,4,TRN,WRAP>".to_owned()];
    report.warnings = vec![warning("raw-input", Some("in"), "No quantizer | follows the input.")];
    Ok(report)
}

fn partial() -> Result<Report, Error> {
    let mut report = report(400, vec![jet_mlp_sat()?, jet_mlp_wrap()?]);
    report.partial = true;
    Ok(report)
}

#[test]
fn junit_of_what_no_output_shows() -> TestResult {
    assert_snapshot!(junit(&inside()?));
    Ok(())
}

#[test]
fn junit_of_a_partial_run() -> TestResult {
    assert_snapshot!(junit(&partial()?));
    Ok(())
}

#[test]
fn markdown_of_what_no_output_shows() -> TestResult {
    assert_snapshot!(markdown(&inside()?));
    Ok(())
}

#[test]
fn titles() -> TestResult {
    let title = |report: &Report| markdown(report).lines().next().map(str::to_owned);
    let exact = report(400, vec![jet_mlp_sat()?]);
    assert_eq!(title(&exact).as_deref(), Some("## verify: BIT-EXACT"));
    let both = report(400, vec![jet_mlp_sat()?, jet_mlp_wrap()?]);
    assert_eq!(title(&both).as_deref(), Some("## verify: MISMATCH (1 of 2 comparisons)"));
    let wrap = report(400, vec![jet_mlp_wrap()?]);
    assert_eq!(title(&wrap).as_deref(), Some("## verify: MISMATCH"));
    assert_eq!(title(&partial()?).as_deref(), Some("## verify: PARTIAL, MISMATCH"));
    let mut begun = exact.clone();
    begun.partial = true;
    assert_eq!(title(&begun).as_deref(), Some("## verify: PARTIAL, nothing decided"));
    let nothing = report(400, Vec::new());
    assert_eq!(title(&nothing).as_deref(), Some("## verify: NOTHING COMPARED"));
    Ok(())
}

#[test]
fn a_run_without_a_report() {
    let message = "m<1>.h5: layer `a&b`\u{1b}: ```no```";
    let failure = RunFailure { code: ExitCode::Model, message, help: Some("do \"that\"") };
    assert_snapshot!(junit_failure(&failure) + &markdown_failure(&failure));
}

#[test]
fn a_difference_in_every_respect() -> TestResult {
    let before = report(400, vec![jet_mlp_sat()?, jet_mlp_wrap()?]);
    let mut after = inside()?;
    let mut wrap = jet_mlp_wrap()?;
    wrap.layers[0].mismatches += 1;
    wrap.layers[1].events_differing -= 1;
    wrap.layers[1].result_t = None;
    let moved = wrap.layers.remove(2);
    wrap.layers.push(bittrue_record::Layer { name: "extra".to_owned(), ..moved });
    after.comparisons.push(wrap);
    after.model.sha256 = before.model.sha256.clone();
    after.tool.version = "0.2.0".to_owned();
    let diff = Diff::new(&before, &after);
    assert_eq!(diff.exit_code(), ExitCode::Mismatch);
    let worse = diff_text(&diff, ("a.json", &before), ("b.json", &after));
    let back = Diff::new(&after, &before);
    // What vanished is worse, on the way back too.
    assert_eq!(back.judgement, Judgement::Worse);
    assert_snapshot!(worse + "\n" + &diff_text(&back, ("b.json", &after), ("a.json", &before)));
    Ok(())
}

#[test]
fn layers_of_another_model_may_vanish() -> TestResult {
    let before = report(400, vec![jet_mlp_sat()?]);
    let mut after = before.clone();
    after.comparisons[0].layers.remove(1);
    assert_eq!(Diff::new(&before, &after).judgement, Judgement::Worse);
    after.model.sha256 = "00".repeat(32);
    let diff = Diff::new(&before, &after);
    assert_eq!((diff.judgement, diff.exit_code()), (Judgement::Changed, ExitCode::Success));
    assert_eq!(diff.comparisons[0].layers[0].judgement, Judgement::Changed);
    // A run that was stopped is worse, one that is not is better.
    let mut stopped = before.clone();
    stopped.partial = true;
    assert_eq!(Diff::new(&before, &stopped).judgement, Judgement::Worse);
    assert_eq!(Diff::new(&stopped, &before).judgement, Judgement::Better);
    // A report that compares nothing proves nothing.
    let nothing = report(400, Vec::new());
    assert_eq!(Diff::new(&nothing, &nothing).judgement, Judgement::Worse);
    Ok(())
}
