//! One event through all layers: for each layer what every leg makes of it, and the elements that
//! have something to say, in bits.

mod element;
mod finding;
mod leg;

use bittrue_record::{ExplainedLayer, Explanation};

use super::format::{clean, count, thousands, wrap};
use super::header::short_hash;
use super::layout::{TextOptions, finish};
use super::paint::{Paint, Tone};

/// The explanation for people. Ends in a newline.
pub fn explanation(explanation: &Explanation, options: &TextOptions) -> String {
    let paint = Paint { color: options.color };
    let width = options.width;
    let mut lines = header(explanation, paint, width);
    for layer in &explanation.layers {
        lines.push(String::new());
        lines.extend(of_layer(layer, paint, width));
    }
    if explanation.layers.iter().any(|l| !l.elements.is_empty()) {
        lines.push(String::new());
        lines.extend(legend(explanation, width).iter().map(|l| paint.apply(Tone::Quiet, l)));
    }
    lines.push(String::new());
    for target in explanation.legs.iter().skip(1) {
        lines.extend(wrap("", &finding::of_target(explanation, target), width));
    }
    finish(lines)
}

fn header(e: &Explanation, paint: Paint, width: usize) -> Vec<String> {
    let title = format!("{} {}", clean(&e.tool.name), clean(&e.tool.version));
    let profiles = clean(&e.tool.profiles.join(", "));
    let mut lines = vec![format!("{} ({profiles})", paint.apply(Tone::Strong, &title))];
    let mut entry = |label: &str, text: &str| {
        lines.extend(wrap(&format!("{label:<9}"), &clean(text), width));
    };
    let model = &e.model;
    entry(
        "model",
        &format!("{} ({}, sha256 {})", model.path, model.class, short_hash(&model.sha256)),
    );
    if let Some(proxy) = &e.proxy {
        entry("proxy", &format!("{} (sha256 {})", proxy.path, short_hash(&proxy.sha256)));
    }
    if let Some(config) = &e.hls_config {
        entry("hls4ml", &format!("{} (sha256 {})", config.path, short_hash(&config.sha256)));
    }
    let place = &e.event;
    let behind = match place.skipped {
        0 => String::new(),
        n => format!(" behind the first {}", thousands(n)),
    };
    let events = count(place.count, "event");
    entry(
        "events",
        &format!("{}: event {} of {events}{behind}, counted from 0", place.path, place.row),
    );
    for input in &e.input_types {
        entry("input", input);
    }
    let targets: Vec<&str> = e.legs.iter().skip(1).map(String::as_str).collect();
    let reference = e.legs.first().map_or("", String::as_str);
    entry("legs", &format!("{} against {reference}", targets.join(", ")));
    lines
}

fn of_layer(layer: &ExplainedLayer, paint: Paint, width: usize) -> Vec<String> {
    let shape: Vec<String> = layer.shape.iter().map(ToString::to_string).collect();
    let output = if layer.is_output { ", an output" } else { "" };
    let name = paint.apply(Tone::Strong, &clean(&layer.name));
    let mut lines = vec![format!("{name}: {} [{}]{output}", clean(&layer.class), shape.join(", "))];
    lines.extend(leg::lines(layer, paint, width));
    lines.extend(element::lines(layer, paint, width));
    if layer.left_out > 0 {
        let text = format!(
            "{} wrapped, saturated or different: --layer {} --all",
            more(layer.left_out),
            super::format::shell_word(&clean(&layer.name))
        );
        lines.extend(wrap("  ", &text, width).iter().map(|l| paint.apply(Tone::Quiet, l)));
    }
    lines
}

fn more(n: u64) -> String {
    match n {
        1 => "1 more element".to_owned(),
        n => format!("{} more elements", thousands(n)),
    }
}

fn legend(e: &Explanation, width: usize) -> Vec<String> {
    let values = || e.layers.iter().flat_map(|l| &l.elements).flat_map(|e| &e.values);
    let mut text = String::from("Bits are two's complement with the binary point.");
    if values().any(|v| v.cast.is_some()) {
        text += " x -> y: the exact value x before the quantizer, and what came out; in brackets \
                 the bits of x above and below those that the type has.";
    }
    wrap("", &text, width)
}
