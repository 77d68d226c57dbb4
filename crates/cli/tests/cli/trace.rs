//! `verify trace`: the layout of its file, and its values against the real software's.

use std::fmt::Write;

use hdf5::types::VarLenUnicode;
use hdf5::{File, Group};
use insta::assert_snapshot;

use crate::support::{Ran, Scratch, TestResult, testvectors, verify};

type Failure = Box<dyn std::error::Error>;

fn trace(case: &str, leg: &str, out: &str, flags: &[&str]) -> Result<Ran, Failure> {
    let (model, events) = (format!("{case}/model.h5"), format!("{case}/events.h5"));
    let fixed = ["trace", "--model", &model, "--events", &events, "--semantics", leg, "--out", out];
    let ran = verify(fixed.iter().chain(flags))?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    Ok(ran)
}

/// Groups, datasets and attributes of a file.
fn layout(file: &File) -> Result<String, Failure> {
    let mut text = String::new();
    attributes(&mut text, file, "")?;
    let mut groups = file.groups()?;
    groups.sort_by_key(|group| group.name());
    for group in groups {
        let name = group.name();
        writeln!(text, "{name}/")?;
        attributes(&mut text, &group, "  ")?;
        let mut datasets = group.datasets()?;
        datasets.sort_by_key(|dataset| dataset.name());
        for dataset in datasets {
            let dtype = dataset.dtype()?.to_descriptor()?;
            writeln!(text, "{} {:?} {dtype}", dataset.name(), dataset.shape())?;
            for attribute in dataset.attr_names()? {
                match dataset.attr(&attribute)?.shape().len() {
                    0 => {
                        let value: VarLenUnicode = dataset.attr(&attribute)?.read_scalar()?;
                        writeln!(text, "  {attribute} = {value}")?;
                    }
                    _ => {
                        let values = dataset.attr(&attribute)?.read_raw::<VarLenUnicode>()?;
                        let values: Vec<&str> = values.iter().map(|v| v.as_str()).collect();
                        writeln!(text, "  {attribute} = {}", values.join(", "))?;
                    }
                }
            }
        }
    }
    Ok(text)
}

fn attributes(text: &mut String, group: &Group, indent: &str) -> Result<(), Failure> {
    for name in group.attr_names()? {
        let attribute = group.attr(&name)?;
        let value = match attribute.read_scalar::<u32>() {
            Ok(number) => number.to_string(),
            Err(_) => attribute.read_scalar::<VarLenUnicode>()?.to_string(),
        };
        writeln!(text, "{indent}{name} = {value}")?;
    }
    Ok(())
}

#[test]
fn layers_with_their_types() -> TestResult {
    let scratch = Scratch::new()?;
    let out = scratch.path("t.h5");
    let ran = trace("golden/jet_mlp", "proxy:wrap", &out, &[])?;
    assert_snapshot!(scratch.redact(&ran.stdout) + &layout(&File::open(&out)?)?);
    assert_eq!(scratch.names()?, ["t.h5"]);
    Ok(())
}

#[test]
fn flags_and_bands_of_uncertain_layers() -> TestResult {
    let scratch = Scratch::new()?;
    let out = scratch.path("t.h5");
    let ran = trace("models/wide_sum", "qkeras", &out, &[])?;
    assert_snapshot!(scratch.redact(&ran.stdout) + &layout(&File::open(&out)?)?);
    Ok(())
}

#[test]
fn the_values_of_the_real_software() -> TestResult {
    let scratch = Scratch::new()?;
    let out = scratch.path("t.h5");
    let expected_file = testvectors().join("golden/jet_mlp/expected.h5");
    for (leg, group) in
        [("qkeras", "qkeras"), ("proxy:sat", "proxy_sat"), ("proxy:wrap", "proxy_wrap")]
    {
        trace("golden/jet_mlp", leg, &out, &[])?;
        let got = bittrue_io::read_datasets(out.as_ref(), "layers")?;
        let expected = bittrue_io::read_datasets(&expected_file, group)?;
        assert_eq!(got.len(), 8);
        for (name, values) in &got {
            let (_, real) =
                expected.iter().find(|(n, _)| n == name).ok_or_else(|| format!("{leg}: {name}"))?;
            assert!(values == real, "{leg}: {name}");
        }
    }
    Ok(())
}

#[test]
fn a_part_of_the_events() -> TestResult {
    let scratch = Scratch::new()?;
    let (whole, part) = (scratch.path("whole.h5"), scratch.path("part.h5"));
    trace("golden/jet_mlp", "proxy:wrap", &whole, &[])?;
    let ran = trace("golden/jet_mlp", "proxy:wrap", &part, &["--skip", "7", "--max-events", "5"])?;
    assert!(ran.stdout.contains("5 events"), "{}", ran.stdout);
    let whole = bittrue_io::read_datasets(whole.as_ref(), "layers")?;
    let part = bittrue_io::read_datasets(part.as_ref(), "layers")?;
    for ((name, whole), (_, part)) in whole.iter().zip(&part) {
        let rows = whole.slice_axis(ndarray::Axis(0), (7..12).into());
        assert!(rows == part.view(), "{name}");
    }
    Ok(())
}
