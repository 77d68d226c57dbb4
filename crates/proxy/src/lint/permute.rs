//! `Permute` in front of `Flatten` and a dense layer.

use bittrue_model::{CallId, LayerKind};

use super::codes::PERMUTE_FLATTEN;
use super::look::Look;

pub(super) fn check(look: &mut Look<'_>) {
    for id in look.calls() {
        let LayerKind::Permute(axes) = look.kind(id) else { continue };
        // With more axes hls4ml leaves the Permute where it is.
        if axes.len() > 3 {
            continue;
        }
        let Some(way) = to_dense(look, id) else { continue };
        let dims: Vec<usize> = axes.iter().map(|a| a + 1).collect();
        let right = [&[2, 1][..], &[3, 1, 2]].contains(&dims.as_slice());
        let found = match (right, way.quantizer, look.readers[id.0].len()) {
            (false, ..) => {
                format!("dims={dims:?}, then the Flatten of `{}`", look.name(way.flatten))
            }
            (true, Some(q), _) => {
                format!(
                    "the quantizer of `{}` between it and the dense layer is lost",
                    look.name(q)
                )
            }
            (true, None, readers @ 2..) => {
                format!("{} other layers read it too, and get the unpermuted values", readers - 1)
            }
            (true, None, _) => continue,
        };
        look.find(&PERMUTE_FLATTEN, id, found);
    }
}

/// The way from a Permute through one Flatten to a dense layer.
struct Way {
    flatten: CallId,
    quantizer: Option<CallId>,
}

fn to_dense(look: &Look<'_>, permute: CallId) -> Option<Way> {
    look.readers[permute.0].iter().find_map(|&first| {
        let mut way = Way { flatten: permute, quantizer: None };
        let mut at = first;
        loop {
            match look.kind(at) {
                LayerKind::FixedPointQuantizer(_) => way.quantizer = Some(at),
                LayerKind::Flatten => way.flatten = at,
                LayerKind::Dense(_) if way.flatten != permute => return Some(way),
                _ => return None,
            }
            // Where several layers read the Flatten, hls4ml leaves all as it is.
            let &[next] = look.readers[at.0].as_slice() else { return None };
            at = next;
        }
    })
}
