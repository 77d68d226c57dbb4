//! A verification from a compressed HDF5 file, held against inflating the chunks of the same dataset with
//! all threads and nothing else, in turns (`scripts/reading.sh`).
//!
//! ```sh
//! cargo run --release -p bittrue-verify --example inflate -- MODEL FILE DATASET [SECONDS]
//! ```
//!
//! For the inflating alone the compressed chunks are in memory before the clock starts, and what comes out
//! is thrown away. The verification is a whole one, from opening the model to the report.

use std::error::Error;
use std::time::Instant;

use bittrue_io::EventOptions;
use bittrue_verify::{Leg, Unwatched, VerifyConfig, verify};
use flate2::{Decompress, FlushDecompress, Status};
use rayon::prelude::*;

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, model, path, name, rest @ ..] = args.as_slice() else {
        return Err("give MODEL FILE DATASET [SECONDS]".into());
    };
    let config = VerifyConfig {
        traces: Vec::new(),
        model: model.into(),
        proxy: None,
        hls_config: None,
        events: vec![path.into()],
        options: EventOptions { datasets: vec![(None, name.clone())], ..EventOptions::default() },
        reference: Leg::Qkeras,
        targets: vec![Leg::ProxyWrap],
        input_types: Vec::new(),
        strict_layers: false,
        hash: false,
    };
    let seconds: f64 = rest.first().map_or(Ok(2.0), |s| s.parse())?;
    let dataset = hdf5::File::open(path)?.dataset(name)?;
    let events = dataset.shape().first().copied().unwrap_or(0);
    let chunk = dataset.chunk().ok_or("the dataset has no chunks")?;
    let length = chunk.iter().product::<usize>() * dataset.dtype()?.size();
    let mut places = Vec::new();
    dataset.chunks_visit(|info| {
        places.push((info.addr as usize, info.size as usize));
        0
    })?;
    let file = std::fs::read(path)?;
    let chunks: Vec<&[u8]> = places.iter().map(|&(at, size)| &file[at..at + size]).collect();
    let packed: usize = chunks.iter().map(|c| c.len()).sum();
    let pass = || -> Result<usize, String> {
        let inflate = |(inflater, out): &mut (Decompress, Vec<u8>), chunk: &&[u8]| {
            inflater.reset(true);
            let status = inflater.decompress(chunk, out, FlushDecompress::Finish);
            match status.map_err(|e| e.to_string())? {
                Status::StreamEnd => Ok(inflater.total_out() as usize),
                other => Err(format!("a chunk ends with {other:?}")),
            }
        };
        let new = || (Decompress::new(true), vec![0; length]);
        chunks.par_iter().map_init(new, inflate).sum()
    };
    let (mut inflated, mut verified, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    let begin = Instant::now();
    while ratios.len() < 5 || begin.elapsed().as_secs_f64() < seconds {
        let start = Instant::now();
        let found = pass()?;
        assert_eq!(found, length * chunks.len(), "every chunk is whole");
        inflated.push(events as f64 / start.elapsed().as_secs_f64());
        let start = Instant::now();
        let report = verify(&config, &Unwatched)?;
        assert_eq!(report.events.count, events as u64, "every event is compared");
        verified.push(events as f64 / start.elapsed().as_secs_f64());
        ratios.push(verified[verified.len() - 1] / inflated[inflated.len() - 1]);
    }
    for list in [&mut inflated, &mut verified, &mut ratios] {
        list.sort_by(f64::total_cmp);
    }
    let both = |list: &[f64]| (list[list.len() - 1] / 1e6, list[list.len() / 2] / 1e6);
    let ((i, im), (v, vm)) = (both(&inflated), both(&verified));
    println!("  inflated, nothing else        {i:>8.2} M events/s   median {im:.2}");
    println!("  verified from the file        {v:>8.2} M events/s   median {vm:.2}");
    println!(
        "  verified / inflated: best of each {:.2}, median of neighbours {:.2}; {} passes, {} chunks, \
         {packed} bytes to {}, {} threads",
        v / i,
        ratios[ratios.len() / 2],
        ratios.len(),
        chunks.len(),
        length * chunks.len(),
        rayon::current_num_threads(),
    );
    Ok(())
}
