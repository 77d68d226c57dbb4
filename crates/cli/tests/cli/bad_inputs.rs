//! Models and events that cannot be used: exit code 3, 4 or 5, and a message that names the file,
//! the place in it and a remedy.

use std::fs;

use insta::assert_snapshot;

use crate::support::{EVENTS, MODEL, Scratch, TestResult, compare, testvectors, verify};

/// A model that is refused.
fn model(file: &str) -> Result<String, Box<dyn std::error::Error>> {
    compare(file, EVENTS)?.refusal(&Scratch::new()?)
}

/// Events that are refused.
fn events(file: &str) -> Result<String, Box<dyn std::error::Error>> {
    compare(MODEL, file)?.refusal(&Scratch::new()?)
}

#[test]
fn model_is_truncated() -> TestResult {
    let scratch = Scratch::new()?;
    let file = scratch.truncated("model.h5", MODEL, 9_000)?;
    assert_snapshot!(compare(&file, EVENTS)?.refusal(&scratch)?);
    Ok(())
}

#[test]
fn model_is_hdf5_of_another_kind() -> TestResult {
    assert_snapshot!(model("bad/other_kind.h5")?);
    Ok(())
}

#[test]
fn model_has_no_model_config() -> TestResult {
    assert_snapshot!(model("bad/no_model_config.h5")?);
    Ok(())
}

#[test]
fn model_is_a_file_of_weights() -> TestResult {
    assert_snapshot!(model("models/weights_only.h5")?);
    Ok(())
}

#[test]
fn model_has_nan_weights() -> TestResult {
    assert_snapshot!(model("bad/nan_weights.h5")?);
    Ok(())
}

#[test]
fn model_lacks_weights() -> TestResult {
    assert_snapshot!(model("bad/missing_weights.h5")?);
    Ok(())
}

#[test]
fn model_has_an_unknown_layer() -> TestResult {
    assert_snapshot!(model("bad/unknown_layer.h5")?);
    Ok(())
}

#[test]
fn model_has_an_unknown_quantizer() -> TestResult {
    assert_snapshot!(model("bad/unknown_quantizer.h5")?);
    Ok(())
}

#[test]
fn model_has_an_unknown_argument() -> TestResult {
    assert_snapshot!(model("bad/unknown_argument.h5")?);
    Ok(())
}

#[test]
fn model_has_an_unknown_attribute() -> TestResult {
    assert_snapshot!(model("bad/unknown_attribute.h5")?);
    Ok(())
}

#[test]
fn model_leaves_alpha_unset() -> TestResult {
    assert_snapshot!(model("bad/alpha_unset.h5")?);
    // The reference alone can run it: the refusal is HGQ's.
    let scratch = Scratch::new()?;
    let out = scratch.path("t.h5");
    let flags = ["--events", EVENTS, "--semantics", "qkeras", "--out", &out];
    let traced = verify(["trace", "--model", "bad/alpha_unset.h5"].into_iter().chain(flags))?;
    assert_eq!((traced.code, traced.stderr.as_str()), (Some(0), ""));
    Ok(())
}

#[test]
fn model_is_a_proxy() -> TestResult {
    assert_snapshot!(model("bad/proxy.h5")?);
    Ok(())
}

#[test]
fn model_is_a_keras_3_archive() -> TestResult {
    assert_snapshot!(model("bad/model.keras")?);
    Ok(())
}

#[test]
fn model_is_the_events_file() -> TestResult {
    assert_snapshot!(model(EVENTS)?);
    Ok(())
}

#[test]
fn model_does_not_exist() -> TestResult {
    assert_snapshot!(model("bad/nowhere.h5")?);
    Ok(())
}

#[test]
fn model_is_a_directory() -> TestResult {
    assert_snapshot!(model("bad")?);
    Ok(())
}

#[test]
fn inspect_refuses_like_a_comparison() -> TestResult {
    for (name, code) in [("nan_weights", 3), ("unknown_layer", 3), ("other_kind", 3)] {
        let file = format!("bad/{name}.h5");
        let inspected = verify(["inspect", "--model", &file])?;
        assert_eq!(inspected.code, Some(code), "{file}");
        assert_eq!(inspected.stderr, compare(&file, EVENTS)?.stderr);
        assert_eq!(inspected.stdout, "");
    }
    Ok(())
}

#[test]
fn events_are_truncated() -> TestResult {
    let scratch = Scratch::new()?;
    let file = scratch.truncated("events.h5", EVENTS, 9_000)?;
    assert_snapshot!(compare(MODEL, &file)?.refusal(&scratch)?);
    Ok(())
}

#[test]
fn events_have_the_wrong_shape() -> TestResult {
    assert_snapshot!(events("bad/wrong_shape.h5")?);
    Ok(())
}

#[test]
fn events_are_flattened_or_not() -> TestResult {
    assert_snapshot!(events("bad/images.h5")?);
    Ok(())
}

#[test]
fn events_are_none() -> TestResult {
    assert_snapshot!(events("bad/empty_events.h5")?);
    Ok(())
}

#[test]
fn events_are_text() -> TestResult {
    assert_snapshot!(events("bad/text_events.h5")?);
    Ok(())
}

#[test]
fn events_are_ambiguous() -> TestResult {
    assert_snapshot!(events("bad/ambiguous.h5")?);
    Ok(())
}

#[test]
fn events_are_of_another_kind() -> TestResult {
    assert_snapshot!(events("bad/other_kind.h5")?);
    Ok(())
}

#[test]
fn events_are_the_model_file() -> TestResult {
    assert_snapshot!(events(MODEL)?);
    Ok(())
}

#[test]
fn events_do_not_exist() -> TestResult {
    assert_snapshot!(events("bad/nowhere.h5")?);
    Ok(())
}

#[test]
fn events_are_a_directory() -> TestResult {
    assert_snapshot!(events("bad")?);
    Ok(())
}

#[test]
fn events_are_no_hdf5() -> TestResult {
    let scratch = Scratch::new()?;
    // A generator whose bytes are no text and no known signature.
    let noise: Vec<u8> = (0..5_000_u32)
        .map(|i| (i.wrapping_mul(2_654_435_761).wrapping_add(97) >> 13) as u8)
        .collect();
    let mut texts = String::new();
    for (name, contents) in [
        ("zero_bytes.h5", &b""[..]),
        ("table.csv", b"pt,eta,phi\n41.5,0.2,1.7\n"),
        ("noise.h5", &noise),
    ] {
        let file = scratch.file(name, contents)?;
        texts += &compare(MODEL, &file)?.refusal(&scratch)?;
        texts += &compare(&file, EVENTS)?.refusal(&scratch)?;
    }
    assert_snapshot!(texts);
    Ok(())
}

#[cfg(unix)]
#[test]
fn files_may_not_be_read() -> TestResult {
    use std::os::unix::fs::PermissionsExt;

    let scratch = Scratch::new()?;
    let model = scratch.file("model.h5", &fs::read(testvectors().join(MODEL))?)?;
    let events = scratch.file("events.h5", &fs::read(testvectors().join(EVENTS))?)?;
    for file in [&model, &events] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o000))?;
    }
    if fs::File::open(&model).is_ok() {
        eprintln!("skipped: this user (root?) reads every file, whatever its permissions");
        return Ok(());
    }
    let texts = compare(&model, EVENTS)?.refusal(&scratch)?
        + &compare(MODEL, &events)?.refusal(&scratch)?;
    assert_snapshot!(texts);
    Ok(())
}

/// Files that nobody can read, root included.
#[cfg(unix)]
#[test]
fn files_are_unreadable() -> TestResult {
    let scratch = Scratch::new()?;
    let circle = scratch.path("circle.h5");
    std::os::unix::fs::symlink(&circle, &circle)?;
    let below = format!("{MODEL}/events.h5");
    let mut texts = String::new();
    for file in [circle.as_str(), &below, "/dev/zero"] {
        texts += &compare(file, EVENTS)?.refusal(&scratch)?;
        texts += &compare(MODEL, file)?.refusal(&scratch)?;
    }
    assert_snapshot!(texts);
    Ok(())
}

#[test]
fn datasets_are_named_wrongly() -> TestResult {
    let scratch = Scratch::new()?;
    let mut texts = String::new();
    for dataset in ["nowhere", "labels", "x=raw", "in=raw=scaled"] {
        let flags = ["--model", MODEL, "--events", "bad/ambiguous.h5", "--dataset", dataset];
        texts += &verify(flags)?.refusal(&scratch)?;
    }
    let twice = ["--dataset", "raw", "--dataset", "in=scaled"];
    let flags = ["--model", MODEL, "--events", "bad/ambiguous.h5"].into_iter().chain(twice);
    texts += &verify(flags)?.refusal(&scratch)?;
    let siamese = ["--model", "golden/siamese/model.h5", "--events", "golden/siamese/events.h5"];
    texts += &verify(siamese.into_iter().chain(["--dataset", "left"]))?.refusal(&scratch)?;
    assert_snapshot!(texts);
    Ok(())
}

#[test]
fn events_end_before_the_first() -> TestResult {
    let scratch = Scratch::new()?;
    let flags = ["--model", MODEL, "--events", EVENTS, "--skip"];
    assert_snapshot!(verify(flags.into_iter().chain(["500"]))?.refusal(&scratch)?);
    assert_eq!(verify(flags.into_iter().chain(["499"]))?.stderr, "");
    Ok(())
}

#[test]
fn events_fit_no_type_of_32_bits() -> TestResult {
    let flags = ["--model", "golden/jet_mlp/model.h5", "--events", "golden/jet_mlp/events.h5"];
    let ran = verify(flags.into_iter().chain(["--input-type", "auto"]))?;
    assert_snapshot!(ran.refusal(&Scratch::new()?)?);
    Ok(())
}

/// A proxy file that is refused beside the model.
fn proxy(file: &str) -> Result<String, Box<dyn std::error::Error>> {
    let arguments = ["--model", MODEL, "--proxy", file, "--events", EVENTS];
    verify(arguments)?.refusal(&Scratch::new()?)
}

#[test]
fn proxy_is_truncated() -> TestResult {
    let scratch = Scratch::new()?;
    let file = scratch.truncated("proxy.h5", "bad/proxy.h5", 9_000)?;
    let arguments = ["--model", MODEL, "--proxy", &file, "--events", EVENTS];
    assert_snapshot!(verify(arguments)?.refusal(&scratch)?);
    Ok(())
}

#[test]
fn proxy_is_of_another_model() -> TestResult {
    assert_snapshot!(proxy("golden/sep/proxy_sat.h5")?);
    Ok(())
}

#[test]
fn proxy_is_no_proxy() -> TestResult {
    assert_snapshot!(proxy(MODEL)?);
    Ok(())
}

#[test]
fn proxy_has_swapped_layers() -> TestResult {
    assert_snapshot!(proxy("bad/proxy_swapped.h5")?);
    Ok(())
}

#[test]
fn proxy_has_other_weights() -> TestResult {
    assert_snapshot!(proxy("bad/proxy_other_weights.h5")?);
    Ok(())
}

#[test]
fn proxy_beside_a_proxy() -> TestResult {
    let arguments = ["--model", "bad/proxy.h5", "--proxy", "bad/proxy.h5", "--events", EVENTS];
    assert_snapshot!(verify(arguments)?.refusal(&Scratch::new()?)?);
    Ok(())
}

#[test]
fn kernels_that_hgq_leaves_random() -> TestResult {
    let (model, events) = ("golden/sep/model.h5", "golden/sep/events.h5");
    assert_snapshot!(compare(model, events)?.refusal(&Scratch::new()?)?);
    Ok(())
}

#[test]
fn model_that_tensorflow_computes_as_another_one() -> TestResult {
    assert_snapshot!(model("bad/fused_first_axis.h5")?);
    Ok(())
}
