//! `verify inspect`: snapshots of what it says.

use insta::assert_snapshot;

use crate::support::{TestResult, verify};

fn inspect(model: &str) -> Result<String, Box<dyn std::error::Error>> {
    let ran = verify(["inspect", "--model", model])?;
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    Ok(ran.stdout)
}

#[test]
fn a_chain_of_layers() -> TestResult {
    assert_snapshot!(inspect("golden/jet_mlp/model.h5")?);
    Ok(())
}

#[test]
fn shared_layers_and_two_inputs() -> TestResult {
    assert_snapshot!(inspect("golden/siamese/model.h5")?);
    Ok(())
}

#[test]
fn quantizers_as_text() -> TestResult {
    assert_snapshot!(inspect("models/strings.h5")?);
    Ok(())
}

#[test]
fn layers_of_keras() -> TestResult {
    assert_snapshot!(inspect("models/shapes.h5")?);
    Ok(())
}

#[test]
fn a_model_that_cannot_be_converted() -> TestResult {
    assert_snapshot!(inspect("bad/alpha_unset.h5")?);
    Ok(())
}

#[test]
fn a_proxy() -> TestResult {
    assert_snapshot!(inspect("bad/proxy.h5")?);
    Ok(())
}
