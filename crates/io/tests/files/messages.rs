//! Everything that a path may be instead of the file that was meant.

use std::fs;
use std::path::{Path, PathBuf};

use bittrue_io::{
    EventOptions, EventSource, IoError, IoErrorKind, read_datasets, read_keras, sha256_file,
};

use crate::{input, testvectors};

fn text(error: &IoError) -> String {
    format!("{error} [{}]", error.help().unwrap_or_default())
}

fn model_error(path: &Path) -> String {
    let error = read_keras(path).unwrap_err();
    assert_eq!((error.kind(), error.path()), (IoErrorKind::Model, path));
    assert!(error.to_string().starts_with(&path.display().to_string()));
    text(&error)
}

fn events_error(path: &Path) -> String {
    let error =
        EventSource::open(&[path], &[input("in", &[4])], &EventOptions::default()).unwrap_err();
    assert_eq!((error.kind(), error.path()), (IoErrorKind::Events, path));
    text(&error)
}

fn write(directory: &tempfile::TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = directory.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn each_kind_of_file_has_its_message() {
    let dir = tempfile::tempdir().unwrap();
    let absent = dir.path().join("absent.h5");
    for (path, model, events) in [
        (absent, "does not exist", "does not exist"),
        (dir.path().to_owned(), "a SavedModel cannot be read", "is a directory"),
        (write(&dir, "empty.h5", b""), "is empty (0 bytes)", "is empty (0 bytes)"),
        (
            write(&dir, "model.keras", b"PK\x03\x04rest"),
            "is a .keras archive, which cannot be read yet [save the model in HDF5 format: \
             model.save(\"model.h5\")]",
            "is a zip archive",
        ),
        (write(&dir, "e.npy", b"\x93NUMPY\x01\x00"), "is a NumPy file", "is a NumPy file"),
        (
            write(&dir, "lfs.h5", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
            "is a Git LFS pointer",
            "run `git lfs pull`",
        ),
        (
            write(&dir, "text.h5", b"hello"),
            "is not an HDF5 file",
            "is text without a line of numbers",
        ),
        (write(&dir, "long.h5", &[7; 5000]), "is not an HDF5 file", "is not an HDF5 file"),
        (
            write(&dir, "signature.h5", b"\x89HDF\r\n\x1a\n"),
            "is a truncated or damaged HDF5 file",
            "is a truncated or damaged HDF5 file",
        ),
    ] {
        let (found_model, found_events) = (model_error(&path), events_error(&path));
        assert!(found_model.contains(model), "{found_model}");
        assert!(found_events.contains(events), "{found_events}");
    }
}

#[test]
fn no_permission() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = write(&dir, "secret.h5", b"x");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read anything.
    if fs::read(&path).is_err() {
        assert!(model_error(&path).contains("permission denied"));
        assert!(events_error(&path).contains("permission denied"));
    }
}

#[test]
fn a_read_only_directory_is_enough() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("model.h5");
    fs::copy(testvectors("golden/a_leaky/model.h5"), &path).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let read = read_keras(&path);
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(read.is_ok());
}

#[test]
fn other_hdf5_files_are_no_models() {
    let found = model_error(&testvectors("golden/a_leaky/events.h5"));
    assert!(found.contains("no attribute model_config (it holds events)"), "{found}");
    let found = model_error(&testvectors("models/weights_only.h5"));
    assert!(found.contains("holds only weights") && found.contains("save_weights()"), "{found}");
    // And a model has no events: its weights fit by no shape.
    let found = events_error(&testvectors("golden/a_leaky/model.h5"));
    assert!(found.contains("no dataset fits input `in`"), "{found}");
    let error = read_datasets(&testvectors("golden/a_leaky/expected.h5"), "nope").unwrap_err();
    assert!(error.to_string().contains("has no group nope"), "{error}");
}

/// A copy that ended too early, wherever it ended.
#[test]
fn truncated_files_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for source in ["golden/a_leaky/model.h5", "events/variants_latest.h5"] {
        let whole = fs::read(testvectors(source)).unwrap();
        for step in 0..200 {
            let path = write(&dir, "cut.h5", &whole[..whole.len() * step / 200]);
            let (model, events) = (model_error(&path), events_error(&path));
            if step > 0 {
                assert!(model.contains("is a truncated or damaged HDF5 file"), "{model}");
                assert!(events.contains("is a truncated or damaged HDF5 file"), "{events}");
            }
        }
    }
}

/// A change of the text of the configuration gives a message, or another model.
#[test]
fn changed_configurations() {
    let dir = tempfile::tempdir().unwrap();
    let whole = fs::read(testvectors("golden/a_leaky/model.h5")).unwrap();
    let start = whole.windows(14).position(|w| w == b"{\"class_name\":").unwrap();
    let mut refused = 0;
    for at in (start..start + 5000).step_by(41) {
        for byte in [b'}', b'"', b'9', 0xff] {
            let mut changed = whole.clone();
            changed[at] = byte;
            let path = write(&dir, "changed.h5", &changed);
            match read_keras(&path) {
                Err(e) => {
                    let text = e.to_string();
                    assert!(text.contains("attribute model_config is not"), "{text}");
                    refused += 1;
                }
                Ok(file) => {
                    refused += usize::from(bittrue_model::parse::from_keras(&file).is_err());
                }
            }
        }
    }
    assert!(refused > 300, "{refused}");
}

#[test]
fn hashes() {
    let dir = tempfile::tempdir().unwrap();
    // The vectors of FIPS 180-2.
    for (bytes, expected) in [
        (vec![], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc".to_vec(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (vec![b'a'; 1_000_000], "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ] {
        let path = write(&dir, "data", &bytes);
        assert_eq!(sha256_file(&path, IoErrorKind::Events).unwrap(), expected);
    }
    let error = sha256_file(&dir.path().join("none"), IoErrorKind::Model).unwrap_err();
    assert_eq!((error.kind(), error.help()), (IoErrorKind::Model, Some("check the path")));
}
