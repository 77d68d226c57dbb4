//! Bad inputs that are made here, one line each: exit code 3 or 5, and one message.
//!
//! The files of `testvectors/bad` are in `bad_inputs`. Together there are many more than the thirty
//! that somebody would think of.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use flate2::Compression;
use flate2::write::GzEncoder;
use hdf5::types::VarLenUnicode;
use hdf5::{File, Group};
use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{EVENTS, MODEL, Ran, Scratch, TestResult, program, testvectors};

type Made = Result<String, Box<dyn Error>>;

/// A name, and how the file is made.
type Line = (&'static str, fn(&Scratch) -> Made);

/// Models, each of which is refused.
const MODELS: &[Line] = &[
    ("git_lfs_pointer", |s| {
        Ok(s.file("m.h5", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")?)
    }),
    ("compressed_with_gzip", |s| gzip(s, "m.h5", MODEL)),
    ("a_pipe", |s| pipe(s, "m.h5")),
    ("an_npy_file", |s| Ok(s.file("m.h5", &fs::read(testvectors().join("fuzz/array.npy"))?)?)),
    ("only_the_signature", |s| Ok(s.file("m.h5", b"\x89HDF\r\n\x1a\n")?)),
    ("config_is_no_json", |s| config_text(s, "{\"class_name\": \"Functional\", ")),
    ("config_is_not_text", |s| {
        edited(s, |file| {
            file.delete_attr("model_config")?;
            file.new_attr::<f64>().create("model_config")?.write_scalar(&1.5)?;
            Ok(())
        })
    }),
    ("config_is_a_number", |s| config_text(s, "7")),
    ("config_is_too_long", |s| config_text(s, &format!("[{}]", "0,".repeat(9 << 20)))),
    ("brackets_without_end", |s| config_text(s, &"[".repeat(100_000))),
    ("brackets_too_deep", |s| config_text(s, &("[".repeat(100) + &"]".repeat(100)))),
    ("a_graph_of_keras_3", |s| {
        configured(s, |c| {
            c["config"]["layers"][1]["inbound_nodes"] = json!([{"args": [], "kwargs": {}}]);
        })
    }),
    ("a_circle", |s| {
        configured(s, |c| {
            let last = c["config"]["layers"].as_array().map_or(0, Vec::len) - 1;
            let name = c["config"]["layers"][last]["config"]["name"].clone();
            c["config"]["layers"][1]["inbound_nodes"] = json!([[[name, 0, 0, {}]]]);
        })
    }),
    ("a_hundred_thousand_layers", |s| {
        let layer = |n: usize| json!({"class_name": "ReLU", "config": {"name": format!("r{n}")}});
        let layers: Vec<Value> = (0..100_000).map(layer).collect();
        let config = json!({"class_name": "Sequential", "config": {"layers": layers}});
        config_text(s, &config.to_string())
    }),
    ("too_many_units", |s| configured(s, |c| *at(c, "d1", "units") = json!(4_000_000_000_u64))),
    ("another_number_of_units", |s| configured(s, |c| *at(c, "d1", "units") = json!(7))),
    ("an_input_too_large", |s| {
        configured(s, |c| *at(c, "in", "batch_input_shape") = json!([null, 1 << 30]))
    }),
    ("a_name_with_escapes", |s| configured(s, |c| *at(c, "d1", "name") = json!("d1\u{1b}[2J"))),
    ("a_class_with_escapes", |s| {
        configured(s, |c| layer(c, "d1")["class_name"] = json!("\u{1b}]0;x\u{7}\u{202e}Dense"))
    }),
    ("mixed_precision", |s| configured(s, |c| *at(c, "d1", "dtype") = json!("mixed_float16"))),
    ("weights_that_are_only_listed", |s| {
        edited(s, |file| {
            let weights = file.group("model_weights")?;
            let names = ["d1", "stranger"].map(VarLenUnicode::from_str);
            let names = names.into_iter().collect::<Result<Vec<_>, _>>()?;
            weights.delete_attr("layer_names")?;
            weights.new_attr_builder().with_data(&names).create("layer_names")?;
            Ok(())
        })
    }),
    ("weights_of_no_layer", |s| {
        edited(s, |file| {
            // The group of one layer is that of another one.
            let names = ["d1", "stranger"].map(VarLenUnicode::from_str);
            let names = names.into_iter().collect::<Result<Vec<_>, _>>()?;
            let weights = file.group("model_weights")?;
            weights.link_hard("d", "stranger")?;
            weights.delete_attr("layer_names")?;
            weights.new_attr_builder().with_data(&names).create("layer_names")?;
            Ok(())
        })
    }),
    ("weights_of_another_shape", |s| weights(s, &[4, 4], &[4, 4])),
    ("weights_without_end", |s| weights(s, &[1 << 27], &[1])),
    ("weights_in_one_huge_chunk", |s| weights(s, &[16, 32], &[1 << 14, 1 << 14])),
    ("weights_in_another_file", |s| {
        fs::copy(testvectors().join(MODEL), s.path("other.h5"))?;
        edited(s, |file| {
            let weights = file.group("model_weights")?;
            weights.unlink("d1")?;
            weights.link_external("other.h5", "/model_weights/d1", "d1")?;
            Ok(())
        })
    }),
    ("weights_of_text", |s| {
        edited(s, |file| {
            let group = kernel_group(file)?;
            group.unlink("kernel:0")?;
            let texts = vec![VarLenUnicode::from_str("1.5")?; 4];
            group.new_dataset_builder().with_data(&texts).create("kernel:0")?;
            Ok(())
        })
    }),
];

/// Events, each of which is refused.
const EVENT_FILES: &[Line] = &[
    ("git_lfs_pointer", |s| {
        Ok(s.file("e.h5", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")?)
    }),
    ("compressed_with_gzip", |s| gzip(s, "e.h5", EVENTS)),
    ("a_pipe", |s| pipe(s, "e.h5")),
    ("npy_of_python_objects", |_| Ok("events/forms/objects.npy".to_owned())),
    ("npy_truncated", |s| Ok(s.truncated("e.npy", "fuzz/array.npy", 1000)?)),
    ("npy_by_columns", |_| Ok("events/forms/fortran.npy".to_owned())),
    ("npy_of_endless_shape", |s| {
        npy(s, "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999)}")
    }),
    ("npy_with_a_deep_header", |s| npy(s, &"(".repeat(60_000))),
    ("npz_that_claims_too_much", |s| {
        // The size of the first member, in its own header and in the directory.
        let mut bytes = fs::read(testvectors().join("fuzz/deflated.npz"))?;
        let size = 4_000_000_000_u32.to_le_bytes();
        let directory = find(&bytes, b"PK\x01\x02")?;
        bytes[22..26].copy_from_slice(&size);
        bytes[directory + 24..directory + 28].copy_from_slice(&size);
        Ok(s.file("e.npz", &bytes)?)
    }),
    ("npz_compressed_with_bzip2", |_| Ok("events/forms/bzip2.npz".to_owned())),
    ("npz_truncated", |s| Ok(s.truncated("e.npz", "fuzz/stored.npz", 1500)?)),
    ("npz_with_a_wrong_checksum", |s| {
        let mut bytes = fs::read(testvectors().join("fuzz/stored.npz"))?;
        bytes[1000] ^= 1;
        Ok(s.file("e.npz", &bytes)?)
    }),
    ("only_structs", |_| Ok("fuzz/table_gzip.h5".to_owned())),
    ("a_damaged_chunk", |_| Ok("bad/damaged_events.h5".to_owned())),
    ("one_huge_chunk", |s| {
        events(s, |file| {
            // Chunks beyond the data need room to grow into.
            let shape = [hdf5::Extent::resizable(100), hdf5::Extent::fixed(16)];
            file.new_dataset::<f32>().shape(shape).chunk((1 << 25, 16)).create("events")?;
            Ok(())
        })
    }),
    ("events_of_endless_width", |s| {
        events(s, |file| {
            let made = file.new_dataset::<f32>().shape((2, 1 << 40)).chunk((1, 1 << 20));
            made.create("events")?;
            Ok(())
        })
    }),
    ("eleven_thousand_datasets", |s| {
        events(s, |file| {
            file.new_dataset::<f32>().shape((1, 1)).create("d")?;
            for n in 0..11_000 {
                file.link_hard("d", &format!("d{n}"))?;
            }
            Ok(())
        })
    }),
    ("never_written", |_| Ok("bad/endless_events.h5".to_owned())),
    ("in_another_file", |s| {
        events(s, |file| {
            let made = file.new_dataset::<f32>().shape((3, 16)).external("raw.bin", 0, 192);
            made.create("events")?;
            Ok(())
        })
    }),
    ("truth_values", |s| {
        events(s, |file| {
            file.new_dataset::<bool>().shape((3, 16)).create("events")?;
            Ok(())
        })
    }),
    ("no_axis", |s| {
        events(s, |file| {
            file.new_dataset::<f32>().create("events")?.write_scalar(&1.0)?;
            Ok(())
        })
    }),
];

/// The message of one line. Files that this process has just written are not locked: a test that
/// starts a program in the same moment may have handed them on, open.
fn refusal(scratch: &Scratch, model: &str, events: &str) -> Result<(Ran, String), Box<dyn Error>> {
    let mut command = program();
    command.args(["--model", model, "--events", events]);
    command.env("HDF5_USE_FILE_LOCKING", "FALSE");
    let output = command.output()?;
    let ran = Ran::new(&command, output)?;
    let text = ran.refusal(scratch)?;
    Ok((ran, text))
}

#[test]
fn models() -> TestResult {
    for (name, make) in MODELS {
        let scratch = Scratch::new()?;
        let (ran, text) =
            refusal(&scratch, &make(&scratch).map_err(|e| format!("{name}: {e}"))?, EVENTS)?;
        assert_eq!(ran.code, Some(3), "{name}: {text}");
        assert_snapshot!(format!("model_{name}"), text);
    }
    Ok(())
}

#[test]
fn event_files() -> TestResult {
    for (name, make) in EVENT_FILES {
        let scratch = Scratch::new()?;
        let (ran, text) =
            refusal(&scratch, MODEL, &make(&scratch).map_err(|e| format!("{name}: {e}"))?)?;
        assert_eq!(ran.code, Some(5), "{name}: {text}");
        assert_snapshot!(format!("events_{name}"), text);
    }
    Ok(())
}

#[test]
fn inputs_of_different_lengths() -> TestResult {
    let scratch = Scratch::new()?;
    let file = events(&scratch, |file| {
        for (name, rows) in [("left", 5), ("right", 6)] {
            let values = ndarray::Array2::<f32>::zeros((rows, 7));
            file.new_dataset_builder().with_data(&values).create(name)?;
        }
        Ok(())
    })?;
    let (ran, text) = refusal(&scratch, "golden/siamese/model.h5", &file)?;
    assert_eq!(ran.code, Some(5), "{text}");
    assert_snapshot!(text);
    Ok(())
}

/// What the issue asks for, and that no message is there twice under different names.
#[test]
fn there_are_many() -> TestResult {
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/snapshots");
    let mut texts: Vec<String> = Vec::new();
    for entry in fs::read_dir(snapshots)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("cli__bad_inputs__") || name.starts_with("cli__bad_table__") {
            let text = fs::read_to_string(&path)?;
            let message = text.split_once("error: ").map_or("", |(_, message)| message);
            assert!(!message.is_empty(), "{name} holds no message");
            texts.push(message.to_owned());
        }
    }
    let all = texts.len();
    texts.sort();
    texts.dedup();
    assert!(all >= MODELS.len() + EVENT_FILES.len() + 30, "{all} golden messages");
    assert!(texts.len() >= 60, "{} different ones", texts.len());
    Ok(())
}

fn find(bytes: &[u8], wanted: &[u8]) -> Result<usize, Box<dyn Error>> {
    let at = bytes.windows(wanted.len()).position(|w| w == wanted);
    at.ok_or_else(|| "not in the file".into())
}

fn gzip(scratch: &Scratch, name: &str, good: &str) -> Made {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&fs::read(testvectors().join(good))?)?;
    Ok(scratch.file(name, &encoder.finish()?)?)
}

fn pipe(scratch: &Scratch, name: &str) -> Made {
    let path = scratch.path(name);
    match Command::new("mkfifo").arg(&path).status()?.success() {
        true => Ok(path),
        false => Err("mkfifo failed".into()),
    }
}

fn npy(scratch: &Scratch, header: &str) -> Made {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(u16::try_from(header.len())?.to_le_bytes());
    bytes.extend(header.as_bytes());
    Ok(scratch.file("e.npy", &bytes)?)
}

/// A file of events.
fn events(scratch: &Scratch, fill: fn(&File) -> TestResult) -> Made {
    let path = scratch.path("events.h5");
    let file = File::create(&path)?;
    fill(&file)?;
    file.close()?;
    Ok(path)
}

/// The good model, changed.
fn edited(scratch: &Scratch, edit: impl Fn(&File) -> TestResult) -> Made {
    let path = scratch.path("model.h5");
    fs::copy(testvectors().join(MODEL), &path)?;
    let file = File::open_rw(&path)?;
    edit(&file)?;
    file.close()?;
    Ok(path)
}

/// The good model with another text as configuration.
fn config_text(scratch: &Scratch, text: &str) -> Made {
    edited(scratch, |file| {
        file.delete_attr("model_config")?;
        let text = VarLenUnicode::from_str(text)?;
        file.new_attr::<VarLenUnicode>().create("model_config")?.write_scalar(&text)?;
        Ok(())
    })
}

/// The good model with a changed configuration.
fn configured(scratch: &Scratch, edit: fn(&mut Value)) -> Made {
    let mut config = bittrue_io::read_keras(&testvectors().join(MODEL))?.model_config;
    edit(&mut config);
    config_text(scratch, &config.to_string())
}

/// A layer of a configuration, which must be there.
fn layer<'c>(config: &'c mut Value, name: &str) -> &'c mut Value {
    let layers = config["config"]["layers"].as_array_mut();
    let found = layers.and_then(|l| l.iter_mut().find(|l| l["config"]["name"] == name));
    found.unwrap_or_else(|| panic!("the good model has no layer {name}"))
}

fn at<'c>(config: &'c mut Value, name: &str, key: &str) -> &'c mut Value {
    &mut layer(config, name)["config"][key]
}

fn kernel_group(file: &File) -> hdf5::Result<Group> {
    file.group("model_weights/d1/d1")
}

/// The good model with a kernel that claims this shape, and holds nothing.
fn weights(scratch: &Scratch, shape: &[usize], chunk: &[usize]) -> Made {
    edited(scratch, |file| {
        let group = kernel_group(file)?;
        group.unlink("kernel:0")?;
        let extents: Vec<hdf5::Extent> =
            shape.iter().map(|&n| hdf5::Extent::resizable(n)).collect();
        let made = group.new_dataset::<f32>().shape(extents).chunk(chunk.to_vec());
        made.create("kernel:0")?;
        Ok(())
    })
}
