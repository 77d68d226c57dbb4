//! Reports of runs, made through the same counters as real ones.

use bittrue_record::{
    Comparison, ComparisonCounts, ComparisonMeta, CountsError, Difference, EventsInfo, FLAG_NAMES,
    FORMAT_VERSION, LayerCounts, LayerMeta, ModelInfo, Report, ToolInfo, Warning,
};

pub(crate) type Error = Box<dyn std::error::Error>;

/// A layer with its counters.
pub(crate) struct Counted {
    pub(crate) meta: LayerMeta,
    pub(crate) counts: LayerCounts,
}

/// A layer without any difference; `result_t` is `-` for none.
pub(crate) fn equal(
    name: &str,
    class: &str,
    result_t: &str,
    elements: u64,
) -> Result<Counted, Error> {
    let result_t = if result_t == "-" { None } else { Some(result_t.parse()?) };
    Ok(Counted {
        meta: LayerMeta {
            name: name.to_owned(),
            class: class.to_owned(),
            result_t,
            is_output: false,
            reference_proven: true,
        },
        counts: LayerCounts { elements, ..LayerCounts::default() },
    })
}

impl Counted {
    pub(crate) fn output(mut self) -> Self {
        self.meta.is_output = true;
        self
    }

    pub(crate) fn own(mut self, own: u64) -> Self {
        self.counts.own_mismatches = own;
        self.counts.mismatches += own;
        self
    }

    pub(crate) fn inherited(mut self, inherited: u64) -> Self {
        self.counts.inherited_mismatches = inherited;
        self.counts.mismatches += inherited;
        self
    }

    /// Own mismatches that upstream ones hide.
    pub(crate) fn hidden(mut self, hidden: u64) -> Self {
        self.counts.own_mismatches += hidden;
        self
    }

    pub(crate) fn not_finite(mut self, not_finite: u64) -> Self {
        self.counts.not_finite_mismatches = not_finite;
        self.counts.mismatches += not_finite;
        self
    }

    pub(crate) fn ambiguous(mut self, ambiguous: u64) -> Self {
        self.counts.ambiguous = ambiguous;
        self
    }

    pub(crate) fn flagged(mut self, flag: &str, count: u64) -> Self {
        for (name, flagged) in FLAG_NAMES.iter().zip(&mut self.counts.flags) {
            if *name == flag {
                *flagged = count;
            }
        }
        self
    }

    /// What the reference cannot be known exactly in: by the order of sums, by functions.
    pub(crate) fn audited(mut self, order_dependent: u64, function_inexact: u64) -> Self {
        self.meta.reference_proven = false;
        self.counts.order_dependent = order_dependent;
        self.counts.function_inexact = function_inexact;
        self
    }

    /// In how many events it differs, by how much at most, and where first.
    pub(crate) fn at(mut self, events: u64, max_abs_diff: f64, event: u64, index: u64) -> Self {
        self.counts.events_differing = events;
        self.counts.max_abs_diff = max_abs_diff;
        self.counts.first = Some(Difference { event, index });
        self
    }
}

/// A comparison whose differing events are those of its worst layer and worst output.
pub(crate) fn against_qkeras(
    target: &str,
    events: u64,
    layers: Vec<Counted>,
) -> Result<Comparison, CountsError> {
    compare(target, events, layers, !target.starts_with("trace:"), false)
}

pub(crate) fn compare(
    target: &str,
    events: u64,
    layers: Vec<Counted>,
    own_known: bool,
    strict_layers: bool,
) -> Result<Comparison, CountsError> {
    let worst = |outputs_only: bool| {
        let scope = layers.iter().filter(|layer| layer.meta.is_output || !outputs_only);
        scope.map(|layer| layer.counts.events_differing).max().unwrap_or(0)
    };
    let (events_differing, events_differing_any_layer) = (worst(true), worst(false));
    let (metas, counts) = layers.into_iter().map(|layer| (layer.meta, layer.counts)).unzip();
    let meta = ComparisonMeta {
        reference: "qkeras".to_owned(),
        target: target.to_owned(),
        layers: metas,
        not_formed: Vec::new(),
        own_known,
    };
    let counts =
        ComparisonCounts { layers: counts, events, events_differing, events_differing_any_layer };
    Comparison::from_counts(meta, &counts, strict_layers)
}

pub(crate) fn report(events: u64, comparisons: Vec<Comparison>) -> Report {
    Report {
        format_version: FORMAT_VERSION,
        tool: ToolInfo {
            name: "bittrue".to_owned(),
            version: "0.1.0".to_owned(),
            profiles: vec!["qkeras-0.9.0".to_owned(), "hgq-0.2.6".to_owned()],
        },
        partial: false,
        model: ModelInfo {
            path: "model.h5".to_owned(),
            sha256: "ec374d715c4e9b8cc5e7a90c61c44b8a4b5678ca4e08ae57e04936b15add803d".to_owned(),
            class: "Functional".to_owned(),
        },
        proxy: None,
        hls_config: None,
        events: EventsInfo {
            path: "events.h5".to_owned(),
            size: 22_545,
            count: events,
            skipped: 0,
            sha256: None,
            files: Vec::new(),
            datasets: Vec::new(),
            columns: Vec::new(),
        },
        input_types: Vec::new(),
        assumptions: Vec::new(),
        warnings: Vec::new(),
        comparisons,
        between_targets: Vec::new(),
    }
}

pub(crate) fn warning(code: &str, layer: Option<&str>, text: &str) -> Warning {
    Warning { code: code.to_owned(), layer: layer.map(str::to_owned), text: text.to_owned() }
}

/// Golden case `jet_mlp`: layers, types and numbers of elements.
fn jet_mlp_layers(input: &str) -> Result<Vec<Counted>, Error> {
    let (relu, dense) = ("ap_ufixed<6,0,RND_CONV,SAT>", "ap_fixed<15,4,TRN,WRAP>");
    Ok(vec![
        equal("q_in", "QActivation", input, 6_400)?,
        equal("fc1", "QDense", "ap_fixed<18,7,TRN,WRAP>", 25_600)?,
        equal("relu1", "QActivation", relu, 25_600)?,
        equal("fc2", "QDense", dense, 12_800)?,
        equal("relu2", "QActivation", relu, 12_800)?,
        equal("fc3", "QDense", dense, 12_800)?,
        equal("relu3", "QActivation", relu, 12_800)?,
        equal("out", "QDense", dense, 2_000)?.output(),
    ])
}

/// Golden case `jet_mlp`, `qkeras` against `proxy:sat`: nothing differs.
pub(crate) fn jet_mlp_sat() -> Result<Comparison, Error> {
    let layers = jet_mlp_layers("ap_fixed<10,4,RND_CONV,SAT>")?;
    Ok(against_qkeras("proxy:sat", 400, layers)?)
}

/// Golden case `jet_mlp`, `qkeras` against `proxy:wrap`: the input quantizer wraps, every other
/// layer only inherits.
pub(crate) fn jet_mlp_wrap() -> Result<Comparison, Error> {
    let found = [
        (658, 0, 15.984_375),
        (0, 6_962, 51.449_707_031_25),
        (0, 3_825, 0.984_375),
        (0, 3_518, 3.632_812_5),
        (0, 1_991, 0.984_375),
        (0, 3_517, 2.884_765_625),
        (0, 2_329, 0.984_375),
        (0, 550, 2.058_593_75),
    ];
    let layers = jet_mlp_layers("ap_fixed<10,4,RND_CONV,WRAP>")?.into_iter().zip(found);
    let layers = layers.map(|(layer, (own, inherited, max))| {
        layer.own(own).inherited(inherited).at(110, max, 1, 0)
    });
    Ok(against_qkeras("proxy:wrap", 400, layers.collect())?)
}
