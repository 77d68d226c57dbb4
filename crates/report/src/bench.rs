//! What `verify bench` measured, as text, JSON and SVG.

use bittrue_record::{Bench, BenchLayer, Rate};

use crate::text::format::thousands;

/// The measurement as JSON; `docs/bench.md` has its fields.
pub fn bench_json(bench: &Bench) -> String {
    let text = serde_json::to_string_pretty(bench);
    let mut text = text.expect("a measurement has string keys only");
    text.push('\n');
    text
}

/// The measurement for people; `explain` adds what was chosen for each step, and why.
pub fn bench_text(bench: &Bench, explain: bool) -> String {
    let mut lines = vec![
        format!("bittrue {} bench", bench.version),
        format!("model    {}", bench.model),
        format!(
            "events   {}: {} in memory, again and again",
            bench.events,
            thousands(bench.events_in_memory)
        ),
        format!(
            "machine  {}, {} threads, {}",
            bench.machine.cpu, bench.machine.threads, bench.simd
        ),
    ];
    let peaks: Vec<String> =
        bench.peak.iter().map(|(name, peak)| format!("{name} {peak:.0} GMAC/s")).collect();
    lines.push(match peaks.is_empty() {
        true => "peak     not known: plain loops".to_owned(),
        false => format!("peak     {}, one thread, measured in this run", peaks.join(", ")),
    });
    lines.push(String::new());
    let rate = |name: &str, rate: &Rate| {
        let [best, median] = [rate.events_per_s, rate.median_events_per_s].map(millions);
        format!("{name:<32}{best:>9} M events/s   median {median}")
    };
    lines.push(rate(&format!("{} alone", bench.target), &bench.target_only));
    lines.push(rate(&format!("{} alone", bench.reference), &bench.reference_only));
    lines.push(rate(&format!("{} against {}", bench.target, bench.reference), &bench.verify));
    if let Some(files) = &bench.files {
        lines.push(String::new());
        lines.push(format!("{} events from their files in each pass", thousands(files.events)));
        lines.push(rate("  read, nothing else", &files.read));
        lines.push(rate("  read and compared", &files.verify));
        lines.push(rate("  compared in memory, in between", &files.in_memory));
        lines.push(format!(
            "  from files {:.0} % of the rate in memory, median of neighbours",
            100.0 * files.of_memory
        ));
    }
    lines.push(String::new());
    lines.push("threads   target alone      compared   a loop that only counts".to_owned());
    let one = bench.threads.first();
    for t in &bench.threads {
        let [target, both] = [t.events_per_s, t.verify_events_per_s].map(millions);
        let times = |rate: f64, one: Option<f64>| match one {
            Some(one) if t.n > 1 && one > 0.0 => format!(" ×{:<5.2}", rate / one),
            _ => " ".repeat(7),
        };
        let line = format!(
            "{:<7} {target:>10} M/s{}{both:>9} M/s{}  ×{:.2}",
            t.n,
            times(t.events_per_s, one.map(|o| o.events_per_s)),
            times(t.verify_events_per_s, one.map(|o| o.verify_events_per_s)),
            t.spin
        );
        lines.push(line);
    }
    lines.push(String::new());
    match bench.ns_per_event {
        Some(ns) => {
            lines.extend(table(&bench.layers));
            lines.push(format!(
                "all: {} multiplications, {ns:.1} ns on one thread",
                thousands(bench.macs)
            ));
        }
        None => lines.push(format!(
            "{} computes on reals in some layer, so its layers are not timed one by one",
            bench.target
        )),
    }
    lines.push(String::new());
    lines.extend(hardware(bench));
    if explain {
        lines.push(String::new());
        lines.push("What was chosen, and why it holds every value".to_owned());
        for layer in &bench.layers {
            lines.push(format!("  {}", layer.name));
            lines.push(format!("    kernel       {}", layer.kernel));
            lines.push(format!("    accumulator  {}", layer.accumulator));
            lines.push(format!("    stored as    {}", layer.storage));
            lines.push(format!("    proof        {}", layer.proof));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

fn millions(rate: f64) -> String {
    format!("{:.2}", rate / 1e6)
}

/// One line for each step.
fn table(layers: &[BenchLayer]) -> Vec<String> {
    let head = ["layer", "type", "stored", "MACs", "EBOPs", "ns", "GMAC/s", "of peak", "kernel"];
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let rows = layers.iter().map(|l| {
        [
            l.name.clone(),
            or_dash(l.result_t.clone()),
            l.storage.clone(),
            thousands(l.macs),
            or_dash(l.ebops.map(thousands)),
            format!("{:.2}", l.ns_per_event),
            or_dash(l.gmac_s.map(|g| format!("{g:.1}"))),
            or_dash(l.fraction_of_peak.map(|f| format!("{:.0} %", 100.0 * f))),
            l.kernel.clone(),
        ]
    });
    let rows: Vec<[String; 9]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let widths: Vec<usize> = (0..head.len())
        .map(|c| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0))
        .collect();
    rows.iter()
        .map(|row| {
            let cells = row.iter().zip(&widths).enumerate().map(|(c, (text, &width))| match c {
                3..=7 => format!("{text:>width$}"),
                _ => format!("{text:<width$}"),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}

/// Kinds of products that are listed.
const KINDS: usize = 8;

/// What matters to who builds a trigger.
fn hardware(bench: &Bench) -> Vec<String> {
    let h = &bench.hardware;
    let mut lines = vec![format!(
        "hardware, {} fully unrolled: {} EBOPs, about LUTs + 55 * DSPs",
        bench.target,
        thousands(h.ebops)
    )];
    if !h.unknown.is_empty() {
        lines.push(format!("  without {}: bits are not known", h.unknown.join(", ")));
    }
    let kinds: Vec<String> = h
        .multiplications
        .iter()
        .take(KINDS)
        .map(|m| format!("{} of {}x{}", thousands(m.count), m.argument_bits, m.weight_bits))
        .collect();
    let rest: u64 = h.multiplications.iter().skip(KINDS).map(|m| m.count).sum();
    let others = if rest > 0 { format!(", {} others", thousands(rest)) } else { String::new() };
    if !kinds.is_empty() {
        let kinds = kinds.join(", ");
        lines.push(format!("  products by bits of argument x weight: {kinds}{others}"));
    }
    let path: Vec<String> =
        h.critical_path.iter().map(|p| format!("{} {}", p.layer, p.depth)).collect();
    lines.push(format!(
        "  longest path: {} two-input operations behind each other: {}",
        h.depth,
        path.join(", ")
    ));
    let largest = |of: fn(&BenchLayer) -> f64| {
        bench.layers.iter().max_by(|a, b| of(a).total_cmp(&of(b))).filter(|l| of(l) > 0.0)
    };
    if let (Some(time), Some(ebops)) =
        (largest(|l| l.ns_per_event), largest(|l| l.ebops.unwrap_or(0) as f64))
    {
        lines.push(format!(
            "  dominate: {} with {:.0} % of the EBOPs here, {} with {:.0} % of the time on this machine",
            ebops.name,
            100.0 * ebops.ebops.unwrap_or(0) as f64 / h.ebops.max(1) as f64,
            time.name,
            100.0 * time.ns_per_event / bench.ns_per_event.unwrap_or(f64::INFINITY)
        ));
    }
    lines
}

/// Bars of time and EBOPs for each step.
pub fn bench_svg(bench: &Bench) -> String {
    const ROW: usize = 44;
    const BAR: f64 = 420.0;
    let most =
        |of: fn(&BenchLayer) -> f64| bench.layers.iter().map(of).fold(f64::MIN_POSITIVE, f64::max);
    let time = |l: &BenchLayer| l.ns_per_event;
    let ebops = |l: &BenchLayer| l.ebops.unwrap_or(0) as f64;
    let (longest, largest) = (most(time), most(ebops));
    let height = 60 + ROW * bench.layers.len();
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <text x=\"10\" y=\"20\" font-size=\"15\">{}: time on one thread (blue) and EBOPs (orange)</text>\n",
        escaped(&bench.model)
    );
    for (n, layer) in bench.layers.iter().enumerate() {
        let y = 44 + ROW * n;
        svg += &format!("<text x=\"10\" y=\"{}\">{}</text>\n", y + 16, escaped(&layer.name));
        let bars = [
            (time(layer) / longest, "#3b6fb6", format!("{:.2} ns", layer.ns_per_event), y),
            (
                ebops(layer) / largest,
                "#d9822b",
                layer.ebops.map_or("-".to_owned(), thousands),
                y + 17,
            ),
        ];
        for (share, color, text, y) in bars {
            let width = share * BAR;
            svg += &format!(
                "<rect x=\"200\" y=\"{y}\" width=\"{width:.1}\" height=\"14\" fill=\"{color}\"/>\n\
                 <text x=\"{:.1}\" y=\"{}\" font-size=\"11\">{text}</text>\n",
                206.0 + width,
                y + 11
            );
        }
    }
    svg + "</svg>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use bittrue_record::{FileRates, Hardware, Machine, Multiplications, PathStep, ThreadRate};

    use super::*;

    fn bench() -> Bench {
        let rate = Rate { events_per_s: 41.5e6, median_events_per_s: 40e6 };
        let layer = |name: &str, ns_per_event, ebops| BenchLayer {
            name: name.to_owned(),
            result_t: Some("ap_ufixed<6,0>".to_owned()),
            kernel: "vpdpbusd u8×i8".to_owned(),
            storage: "u8".to_owned(),
            accumulator: "i32".to_owned(),
            proof: "raws 0 to 63 and the weights give sums from -9 to 9, 5 bits".to_owned(),
            macs: 1024,
            ebops,
            ns_per_event,
            gmac_s: Some(100.0),
            fraction_of_peak: Some(0.43),
            adder_depth: Some(4),
        };
        Bench {
            format_version: 1,
            version: "0.1.0".to_owned(),
            model: "a<b.h5".to_owned(),
            events: "gen:uniform,n=10".to_owned(),
            events_in_memory: 1000,
            reference: "qkeras".to_owned(),
            target: "proxy:sat".to_owned(),
            machine: Machine { cpu: "a processor".to_owned(), threads: 2 },
            simd: "avx512vnni".to_owned(),
            peak: [("vpdpbusd".to_owned(), 232.0)].into(),
            target_only: rate,
            reference_only: rate,
            verify: rate,
            files: Some(FileRates {
                events: 5000,
                read: rate,
                verify: rate,
                in_memory: rate,
                of_memory: 0.75,
            }),
            threads: vec![
                ThreadRate { n: 1, events_per_s: 21e6, verify_events_per_s: 30e6, spin: 1.0 },
                ThreadRate { n: 2, events_per_s: 42e6, verify_events_per_s: 45e6, spin: 1.75 },
            ],
            macs: 2048,
            ns_per_event: Some(30.0),
            layers: vec![layer("fc1 + relu1", 10.0, Some(30)), layer("out", 20.0, None)],
            hardware: Hardware {
                ebops: 30,
                unknown: vec!["out".to_owned()],
                multiplications: vec![Multiplications {
                    argument_bits: 8,
                    weight_bits: 5,
                    count: 900,
                }],
                depth: 5,
                critical_path: vec![PathStep { layer: "fc1".to_owned(), depth: 5 }],
            },
        }
    }

    #[test]
    fn text_has_rates_layers_and_cost() {
        let text = bench_text(&bench(), false);
        for part in [
            "proxy:sat alone                     41.50 M events/s   median 40.00",
            "peak     vpdpbusd 232 GMAC/s",
            "5,000 events from their files",
            "from files 75 % of the rate in memory",
            "2            42.00 M/s ×2.00     45.00 M/s ×1.50   ×1.75",
            "fc1 + relu1  ap_ufixed<6,0>  u8      1,024     30  10.00   100.0     43 %  vpdpbusd u8×i8",
            "all: 2,048 multiplications, 30.0 ns",
            "without out: bits are not known",
            "900 of 8x5",
            "dominate: fc1 + relu1 with 100 % of the EBOPs here, out with 67 % of the time",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
        assert!(!text.contains("sums from -9 to 9"));
        assert!(bench_text(&bench(), true).contains("sums from -9 to 9"));
    }

    #[test]
    fn json_is_read_back() {
        let bench = bench();
        let back: Bench = serde_json::from_str(&bench_json(&bench)).expect("JSON");
        assert_eq!(back, bench);
    }

    #[test]
    fn svg_has_a_bar_for_each_number() {
        let svg = bench_svg(&bench());
        assert_eq!(svg.matches("<rect").count(), 4);
        assert!(svg.contains("a&lt;b.h5") && svg.contains("width=\"420.0\""));
        roxmltree::Document::parse(&svg).expect("XML");
    }
}
