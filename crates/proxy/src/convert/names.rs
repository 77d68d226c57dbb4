//! How the layers of a proxy get their names.

use std::collections::{BTreeMap, BTreeSet};

/// Keras' counters: one per class of layer, the first name has no number.
#[derive(Debug, Default)]
pub(super) struct Counters(BTreeMap<&'static str, usize>);

impl Counters {
    /// The next automatic name of a class whose snake-case name is `base`.
    pub(super) fn next(&mut self, base: &'static str) -> String {
        let n = self.0.entry(base).or_default();
        let name = if *n == 0 { base.to_owned() } else { format!("{base}_{n}") };
        *n += 1;
        name
    }

    /// The next name of an input; inputs count from 1.
    pub(super) fn next_input(&mut self) -> String {
        let n = self.0.entry("input").or_insert(1);
        let name = format!("input_{n}");
        *n += 1;
        name
    }
}

/// HGQ's namer: a name that is taken gets `_0`, `_1`, … (the first that is free).
#[derive(Debug, Default)]
pub(super) struct Namer(BTreeSet<String>);

impl Namer {
    /// The name under which a layer called `wanted` is placed.
    pub(super) fn place(&mut self, wanted: &str) -> String {
        let mut name = wanted.to_owned();
        let mut n = 0;
        while !self.0.insert(name.clone()) {
            name = format!("{wanted}_{n}");
            n += 1;
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_start_without_number() {
        let mut c = Counters::default();
        let names: Vec<_> = (0..3).map(|_| c.next("activation")).collect();
        assert_eq!(names, ["activation", "activation_1", "activation_2"]);
        assert_eq!((c.next_input(), c.next_input()), ("input_1".into(), "input_2".into()));
    }

    #[test]
    fn namer_takes_the_first_free_suffix() {
        let mut n = Namer::default();
        assert_eq!(n.place("d"), "d");
        assert_eq!(n.place("d"), "d_0");
        assert_eq!(n.place("d"), "d_1");
        assert_eq!(n.place("d_0"), "d_0_0");
    }
}
