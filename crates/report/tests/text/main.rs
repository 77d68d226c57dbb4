//! The text report, whole, for the situations that users meet.
//!
//! The snapshots are compared with `INSTA_UPDATE=no`; after a wanted change, run once with
//! `INSTA_UPDATE=always` and read the difference.

mod exports;
mod fixtures;

use bittrue_record::Verdict;
use bittrue_report::{TextOptions, markdown, text};
use fixtures::{Error, against_qkeras, compare, equal, jet_mlp_sat, jet_mlp_wrap, report, warning};
use insta::assert_snapshot;

type TestResult = Result<(), Error>;

fn plain(report: &bittrue_record::Report) -> String {
    text(report, &TextOptions::default())
}

#[test]
fn all_exact() -> TestResult {
    assert_snapshot!(plain(&report(400, vec![jet_mlp_sat()?])));
    Ok(())
}

#[test]
fn the_input_quantizer_wraps() -> TestResult {
    assert_snapshot!(plain(&report(400, vec![jet_mlp_sat()?, jet_mlp_wrap()?])));
    Ok(())
}

#[test]
fn targets_against_each_other() -> TestResult {
    let mut report = report(400, vec![jet_mlp_sat()?, jet_mlp_wrap()?, jet_mlp_wrap()?]);
    report.comparisons[2].target = "trace:a board/out.npz".to_owned();
    let between = |comparison: usize, reference: &str| {
        let mut c = report.comparisons[comparison].clone();
        c.reference = reference.to_owned();
        c
    };
    let mut equal = between(0, "proxy:wrap");
    equal.target = "trace:a board/out.npz".to_owned();
    report.between_targets = vec![between(1, "proxy:sat"), between(2, "proxy:sat"), equal];
    assert_snapshot!("each_against_each", plain(&report));
    assert_snapshot!("each_against_each_markdown", markdown(&report));
    Ok(())
}

#[test]
fn the_input_quantizer_wraps_in_colour() -> TestResult {
    let report = report(400, vec![jet_mlp_sat()?, jet_mlp_wrap()?]);
    let coloured = text(&report, &TextOptions { color: true, ..TextOptions::default() });
    assert_snapshot!(coloured.replace('\u{1b}', "␛"));

    // Colour adds nothing but colour.
    let mut uncoloured = String::new();
    for (i, part) in coloured.split('\u{1b}').enumerate() {
        let text = if i == 0 { part } else { part.split_once('m').ok_or("no end")?.1 };
        uncoloured.push_str(text);
    }
    assert_eq!(uncoloured, plain(&report));
    Ok(())
}

#[test]
fn only_an_inner_layer_differs() -> TestResult {
    // Golden case `bn`: the float32 scaling differs by less than the next quantizer sees.
    let bn = |own| -> Result<_, Error> {
        Ok(vec![
            equal("q_in", "QActivation", "ap_fixed<8,3,RND_CONV,SAT>", 8_000)?,
            equal("d1", "QDense", "ap_fixed<16,6,TRN,WRAP>", 8_000)?,
            equal("bn", "BatchNormalization", "ap_fixed<41,7,TRN,WRAP>", 8_000)?
                .own(own)
                .at(500, 2.870_569_005_608_558_7e-6, 0, 1)
                .audited(0, 0),
            equal("r1", "QActivation", "ap_ufixed<6,1,RND_CONV,SAT>", 8_000)?.audited(0, 0),
            equal("d", "QDense", "ap_fixed<8,4,RND_CONV,SAT>", 2_500)?.audited(0, 0).output(),
        ])
    };
    let lenient = compare("hls4ml:sat", 500, bn(7_953)?, true, false)?;
    assert_snapshot!("inner_layer", plain(&report(500, vec![lenient])));
    let strict = compare("hls4ml:sat", 500, bn(7_953)?, true, true)?;
    assert_snapshot!("inner_layer_strict", plain(&report(500, vec![strict])));
    Ok(())
}

#[test]
fn the_reference_is_not_one_number() -> TestResult {
    let layers = vec![
        equal("fc3", "QDense", "ap_fixed<15,4,TRN,WRAP>", 12_800)?
            .flagged("float32-ste", 31)
            .audited(0, 0),
        equal("softmax", "Activation", "-", 2_000)?
            .ambiguous(17)
            .flagged("function-band", 2_000)
            .audited(0, 2_000)
            .output(),
    ];
    assert_snapshot!(plain(&report(400, vec![against_qkeras("hls4ml:sat", 400, layers)?])));
    Ok(())
}

#[test]
fn not_a_number() -> TestResult {
    let layers = vec![
        equal("q_in", "QActivation", "ap_fixed<8,4,RND_CONV,SAT>", 900)?
            .not_finite(63)
            .at(18, 0.0, 2, 1)
            .flagged("not-finite", 68),
        equal("fc", "QDense", "ap_fixed<16,8,TRN,WRAP>", 450)?
            .not_finite(40)
            .inherited(8)
            .at(16, 4.656_25, 2, 0)
            .flagged("not-finite", 44)
            .output(),
    ];
    assert_snapshot!(plain(&report(150, vec![against_qkeras("proxy:sat", 150, layers)?])));
    Ok(())
}

#[test]
fn stopped_before_the_end() -> TestResult {
    let mut exact = report(400, vec![jet_mlp_sat()?]);
    exact.partial = true;
    assert_snapshot!("partial_exact", plain(&exact));
    let mut mismatch = report(400, vec![jet_mlp_sat()?, jet_mlp_wrap()?]);
    mismatch.partial = true;
    assert_snapshot!("partial_mismatch", plain(&mismatch));
    let nothing = vec![equal("out", "QDense", "ap_fixed<15,4,TRN,WRAP>", 0)?.output()];
    let mut nothing = report(0, vec![against_qkeras("proxy:sat", 0, nothing)?]);
    nothing.partial = true;
    assert_snapshot!("partial_nothing", plain(&nothing));
    Ok(())
}

#[test]
fn forty_layers_with_long_names() -> TestResult {
    let events = 2_500_000;
    let mut layers = Vec::new();
    for i in 0..40u64 {
        let name = format!("encoder::block_{:02}::quantised_convolution_{}", i / 4, i % 4);
        let layer = match i % 4 {
            0 => equal(&name, "QConv2DBatchnorm", "ap_fixed<22,10,TRN,WRAP>", events * 1024)?,
            1 => equal(&name, "BatchNormalization", "-", events * 1024)?,
            2 => {
                equal("pool", "AveragePooling2D", "ap_fixed<18,8,RND_CONV,SAT_SYM>", events * 256)?
            }
            _ => equal("act", "QActivation", "ap_ufixed<8,0,RND_CONV,SAT>", events * 256)?,
        };
        let mut layer = match i {
            0..=20 => layer,
            21 => layer.own(1_234_567_890).inherited(12).at(2_499_999, 0.001_234_5, 0, 65_535),
            _ => layer.inherited(98_765_432).own(i % 3).at(1_100_000, 0.5, 1_048_576, 12),
        };
        if let 2 | 3 = i % 4 {
            layer.meta.name = format!("{}@{i}", layer.meta.name);
        }
        layers.push(if i == 39 { layer.output() } else { layer });
    }
    let report = report(events, vec![against_qkeras("proxy:wrap", events, layers)?]);
    assert_snapshot!("forty_layers", plain(&report));
    let wide = text(&report, &TextOptions { color: false, width: 160 });
    assert_snapshot!("forty_layers_wide", wide);
    Ok(())
}

#[test]
fn narrow_terminal() -> TestResult {
    let report = report(400, vec![jet_mlp_wrap()?]);
    assert_snapshot!(text(&report, &TextOptions { color: false, width: 60 }));
    Ok(())
}

#[test]
fn two_targets_and_warnings() -> TestResult {
    let layers = |own: u64| -> Result<_, Error> {
        let out = equal("dense_1", "QDense", "ap_fixed<14,6,RND_CONV,SAT>", 5_120)?.output();
        Ok(vec![
            equal("input_1", "InputLayer", "ap_fixed<14,4,TRN,WRAP>", 16_384)?,
            equal("dense", "QDense", "-", 65_536)?,
            if own > 0 { out.own(own).at(own, 0.25, 1_024, 4) } else { out },
        ])
    };
    let mut sat = against_qkeras("proxy:sat", 1_024, layers(0)?)?;
    sat.not_formed = vec!["relu".to_owned()];
    let wrap = against_qkeras("proxy:wrap", 1_024, layers(1)?)?;
    let mut report = report(1_024, vec![sat, wrap]);
    report.model.class = "Sequential".to_owned();
    report.model.path = "models/my model.h5".to_owned();
    report.events.skipped = 1_000;
    report.events.sha256 = Some("0123456789abcdef".repeat(4));
    report.input_types = vec!["input_1=ap_fixed<14,4,TRN,WRAP>".to_owned()];
    report.assumptions = vec!["quantized_tanh uses the hard form.".to_owned()];
    report.warnings = vec![
        warning(
            "raw-input",
            Some("input_1"),
            "no quantizer follows this input, so HGQ leaves it in float32 and hls4ml will refuse the \
             proxy. Add QActivation(\"quantized_bits(14,3,alpha=1)\") behind it, or give \
             --input-type input_1=ap_fixed<14,4>.",
        ),
        warning("unused-slope", None, "negative_slope is ignored by HGQ."),
    ];
    assert_snapshot!(plain(&report));
    Ok(())
}

#[test]
fn a_trace_has_no_layers_of_its_own() -> TestResult {
    let layers = vec![
        equal("fc", "QDense", "-", 800)?.flagged("wide", 800),
        equal("act", "QActivation", "ap_ufixed<6,0,RND_CONV,SAT>", 800)?
            .inherited(0)
            .ambiguous(3)
            .flagged("float32-sum", 5)
            .flagged("denormal", 1)
            .audited(5, 1),
        equal("out", "QDense", "ap_fixed<15,4,TRN,SAT>", 500)?.output(),
    ];
    let mut layers = layers;
    layers[1].counts.mismatches = 12;
    layers[1] = std::mem::replace(&mut layers[1], equal("", "", "-", 0)?).at(7, 0.015_625, 41, 3);
    let comparison = against_qkeras("trace:board.h5", 100, layers)?;
    assert_snapshot!(plain(&report(100, vec![comparison])));
    Ok(())
}

#[test]
fn an_own_difference_may_be_hidden() -> TestResult {
    let layers = vec![
        equal("q_in", "QActivation", "ap_fixed<8,4,TRN,SAT>", 1_600)?.own(30).at(9, 0.062_5, 4, 2),
        equal("relu", "QActivation", "ap_ufixed<6,0,RND_CONV,SAT>", 1_600)?.hidden(5),
        equal("out", "QDense", "ap_fixed<15,4,TRN,SAT>", 500)?
            .own(2)
            .hidden(3)
            .inherited(20)
            .at(8, 0.125, 4, 0)
            .output(),
    ];
    assert_snapshot!(plain(&report(100, vec![against_qkeras("hls4ml:sat", 100, layers)?])));
    Ok(())
}

#[test]
fn within_the_tolerance_asked_for() -> TestResult {
    let layers = vec![equal("out", "QDense", "-", 500)?.own(9).at(8, 1e-7, 4, 0).output()];
    let mut comparison = against_qkeras("hls4ml:sat", 100, layers)?;
    comparison.verdict = Verdict::WithinTolerance;
    assert_snapshot!(plain(&report(100, vec![comparison])));
    Ok(())
}

#[test]
fn nothing_compared() {
    assert_snapshot!(plain(&report(100, Vec::new())));
}

#[test]
fn names_from_the_file_cannot_drive_the_terminal() -> TestResult {
    let name = "fc\u{1b}[2J\u{202e}\nq";
    let layers = vec![equal(name, "QDense\u{7}", "-", 500)?.own(9).at(8, 1.0, 4, 0).output()];
    let mut report = report(100, vec![against_qkeras("proxy:sat\u{9b}", 100, layers)?]);
    report.model.path = "a\u{1b}b.h5".to_owned();
    report.model.class = "\u{1b}".to_owned();
    report.tool.version = "\u{1b}".to_owned();
    report.events.path = "\r.h5".to_owned();
    report.warnings = vec![warning("c\u{8}", Some(name), "t\u{1b}")];
    let text = plain(&report);
    let bad = text.chars().find(|&c| c != '\n' && (c.is_control() || c == '\u{202e}'));
    assert_eq!(bad, None, "{text}");
    // One line feed in a name must not forge a line.
    assert!(text.lines().all(|line| !line.starts_with('q')), "{text}");
    Ok(())
}
