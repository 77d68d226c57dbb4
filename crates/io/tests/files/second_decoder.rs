//! A second decoder of HDF5, written by others in another language, must see the same numbers.

use bittrue_block::EventData;
use bittrue_io::{EventOptions, EventSource, InputSpec, read_datasets, read_keras};
use hdf5_reader::group::Group;
use hdf5_reader::{Dataset, Hdf5File};

use crate::{GOLDEN, inputs, model, testvectors};

fn open(path: &str) -> Group {
    Hdf5File::open(testvectors(path)).unwrap().root_group().unwrap()
}

fn find(root: &Group, path: &str) -> Dataset {
    let mut parts: Vec<&str> = path.split('/').filter(|p| !p.is_empty()).collect();
    let name = parts.pop().unwrap();
    let parent = parts
        .iter()
        .fold(None, |g: Option<Group>, part| Some(g.as_ref().unwrap_or(root).group(part).unwrap()));
    parent.as_ref().unwrap_or(root).dataset(name).unwrap()
}

fn f32_bits(dataset: &Dataset) -> Vec<u32> {
    dataset.read_array::<f32>().unwrap().iter().map(|v| v.to_bits()).collect()
}

#[test]
fn weights_and_configuration() {
    let models = GOLDEN.iter().map(|case| format!("golden/{case}/model.h5")).chain(
        ["strings", "sequential_without_input", "shapes", "alphas", "shared"]
            .map(|name| format!("models/{name}.h5")),
    );
    let mut compared = 0;
    for path in models {
        let ours = read_keras(&testvectors(&path)).unwrap();
        let root = open(&path);
        let config = root.attribute("model_config").unwrap().read_string().unwrap();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&config).unwrap(), ours.model_config);
        let names = root.group("model_weights").unwrap().attribute("layer_names").unwrap();
        assert_eq!(names.read_strings().unwrap(), ours.layer_names, "{path}");
        for layer in &ours.weights {
            for (name, tensor) in &layer.tensors {
                let theirs = find(&root, &format!("model_weights/{}/{name}", layer.layer));
                let shape: Vec<u64> = tensor.shape().iter().map(|&d| d as u64).collect();
                assert_eq!(theirs.shape(), shape, "{path} {name}");
                let bits: Vec<u32> = tensor.iter().map(|v| v.to_bits()).collect();
                assert_eq!(f32_bits(&theirs), bits, "{path} {name}");
                compared += 1;
            }
        }
    }
    assert!(compared > 80, "{compared}");
}

#[test]
fn golden_events() {
    for case in GOLDEN {
        let path = format!("golden/{case}/events.h5");
        let specs = inputs(&model(&format!("golden/{case}/model.h5")));
        let mut source =
            EventSource::open(&[testvectors(&path)], &specs, &EventOptions::default()).unwrap();
        let datasets: Vec<String> = source.datasets().map(str::to_owned).collect();
        let block = source.next_block(usize::MAX).unwrap().unwrap();
        let root = open(&path);
        for (dataset, events) in datasets.iter().zip(&block.inputs) {
            let EventData::F32(ours) = &events.data else { panic!("{case}") };
            let ours: Vec<u32> = ours.iter().map(|v| v.to_bits()).collect();
            assert_eq!(f32_bits(&find(&root, dataset)), ours, "{case}");
        }
    }
}

#[test]
fn expected_values() {
    for case in GOLDEN {
        let path = format!("golden/{case}/expected.h5");
        let root = open(&path);
        for group in ["qkeras", "proxy_wrap", "hls4ml_sat"] {
            for (name, ours) in read_datasets(&testvectors(&path), group).unwrap() {
                let theirs = root.group(group).unwrap().dataset(&name).unwrap();
                let theirs: Vec<f64> = match theirs.read_array::<f32>() {
                    Ok(array) => array.iter().map(|&v| f64::from(v)).collect(),
                    Err(_) => theirs.read_array::<f64>().unwrap().iter().copied().collect(),
                };
                let same = ours.iter().zip(&theirs).all(|(a, b)| a.to_bits() == b.to_bits());
                assert!(same && ours.len() == theirs.len(), "{case} {group}/{name}");
            }
        }
    }
}

/// Every layout and dtype of the event files that the second decoder knows: it has no lzf and no
/// float16.
#[test]
fn event_variants() {
    let mut compared = 0;
    for format in ["earliest", "v110", "latest"] {
        let path = format!("events/variants_{format}.h5");
        let root = open(&path);
        for name in root.member_names().unwrap().1 {
            let theirs = root.dataset(&name).unwrap();
            let Some(theirs) = as_f64(&theirs) else {
                assert!(name.starts_with("lzf") || name.starts_with("f2"), "{name}");
                continue;
            };
            let spec = InputSpec { name: "in".to_owned(), shape: vec![3, 2] };
            let options =
                EventOptions { datasets: vec![(None, name.clone())], ..EventOptions::default() };
            let mut source = EventSource::open(&[testvectors(&path)], &[spec], &options).unwrap();
            let block = source.next_block(37).unwrap().unwrap();
            let ours: Vec<f64> = match &block.inputs[0].data {
                EventData::F32(v) => v.iter().map(|&v| f64::from(v)).collect(),
                EventData::F64(v) => v.clone(),
                EventData::I64(v) => v.iter().map(|&v| v as f64).collect(),
                EventData::U64(v) => v.iter().map(|&v| v as f64).collect(),
            };
            assert_eq!(ours, theirs, "{format} {name}");
            compared += 1;
        }
    }
    assert_eq!(compared, 3 * (47 - 2 - 4));
}

fn as_f64(dataset: &Dataset) -> Option<Vec<f64>> {
    macro_rules! first_that_fits {
        ($($ty:ty),*) => {
            None$(.or_else(|| {
                let array = dataset.read_array::<$ty>().ok()?;
                Some(array.iter().map(|&v| v as f64).collect())
            }))*
        };
    }
    first_that_fits!(f32, f64, i8, i16, i32, i64, u8, u16, u32, u64)
}
