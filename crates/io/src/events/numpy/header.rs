//! The header of a `.npy` array: its dtype and shape.

use std::collections::HashSet;
use std::io::Read;

use super::literal::{Literal, parse};
use crate::events::catalogue::{Field, Kind, Record};
use crate::events::row::{Scalar, product};
use crate::number::Dtype;

/// Longest header, in bytes; NumPy itself reads 10,000 without being asked for more.
const MAX_BYTES: usize = 1 << 16;

const MAGIC: [u8; 6] = *b"\x93NUMPY";

/// What pickled elements are called.
const OBJECTS: &str = "Python objects";

/// An array as its header describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Array {
    /// Every axis, the events first.
    pub(super) shape: Vec<usize>,
    /// What its elements are.
    pub(super) kind: Kind,
    /// Whether numbers that are no fields of a struct have their highest byte first.
    pub(super) big_endian: bool,
    /// Where the elements start, in bytes from the start of the array's file.
    pub(super) start: u64,
    /// Bytes of all elements.
    pub(super) bytes: u64,
}

/// Reads the header at the start of an array.
pub(super) fn read(mut file: impl Read) -> Result<Array, String> {
    let mut head = [0; 8];
    file.read_exact(&mut head).map_err(short)?;
    if head[..6] != MAGIC {
        return Err("does not start with \\x93NUMPY".to_owned());
    }
    // Version 1 has a length of two bytes; version 3 has UTF-8 text.
    let (length, at) = match head[6] {
        1 => {
            let mut length = [0; 2];
            file.read_exact(&mut length).map_err(short)?;
            (u16::from_le_bytes(length).into(), 10)
        }
        2 | 3 => {
            let mut length = [0; 4];
            file.read_exact(&mut length).map_err(short)?;
            (u32::from_le_bytes(length), 12)
        }
        version => return Err(format!("has version {version}; known are 1 to 3")),
    };
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_BYTES {
        return Err(format!("is {length} bytes long; supported are {MAX_BYTES}"));
    }
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes).map_err(short)?;
    let text = match head[6] {
        3 => String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?,
        // Latin-1: every byte is a character.
        _ => bytes.into_iter().map(char::from).collect(),
    };
    let start = at + length as u64;
    array(parse(&text).map_err(|e| format!("is no Python literal: {e}"))?, start)
}

fn short(e: std::io::Error) -> String {
    match e.kind() {
        std::io::ErrorKind::UnexpectedEof => "ends too early".to_owned(),
        _ => format!("cannot be read: {e}"),
    }
}

fn array(header: Literal, start: u64) -> Result<Array, String> {
    let Literal::Dict(items) = header else {
        return Err("is no dict".to_owned());
    };
    let (mut descr, mut fortran, mut shape) = (None, None, None);
    for (key, value) in items {
        let Literal::Text(key) = key else {
            return Err("has a key that is no text".to_owned());
        };
        let slot = match key.as_str() {
            "descr" => &mut descr,
            "fortran_order" => &mut fortran,
            "shape" => &mut shape,
            _ => return Err(format!("has the unknown key {key}")),
        };
        if slot.replace(value).is_some() {
            return Err(format!("has the key {key} twice"));
        }
    }
    let (Some(descr), Some(Literal::Bool(fortran)), Some(Literal::Tuple(shape))) =
        (descr, fortran, shape)
    else {
        return Err("lacks descr, fortran_order or shape".to_owned());
    };
    let shape = lengths(&shape)?;
    let element = element(&descr)?;
    let bytes = product(&shape).and_then(|n| n.checked_mul(element.size));
    let bytes = bytes.ok_or_else(|| {
        format!("has the shape {shape:?} of {} bytes each, which is out of bounds", element.size)
    })? as u64;
    // Of less than two axes there is only one order.
    let kind = match fortran && shape.len() > 1 {
        true => Kind::Other("columns first (Fortran order; np.ascontiguousarray helps)".to_owned()),
        false => element.kind,
    };
    Ok(Array { shape, kind, big_endian: element.big_endian, start, bytes })
}

fn lengths(shape: &[Literal]) -> Result<Vec<usize>, String> {
    let length = |l: &Literal| match l {
        Literal::Integer(n) => usize::try_from(*n).ok(),
        _ => None,
    };
    shape
        .iter()
        .map(length)
        .collect::<Option<_>>()
        .ok_or_else(|| "has a shape that is no tuple of lengths".to_owned())
}

/// What an element is, and how long.
struct Element {
    kind: Kind,
    big_endian: bool,
    size: usize,
}

fn element(descr: &Literal) -> Result<Element, String> {
    match descr {
        Literal::Text(code) => plain(code),
        Literal::List(fields) => {
            let mut found: Vec<Field> = Vec::new();
            let mut names: HashSet<String> = HashSet::new();
            let mut size = 0usize;
            for field in fields {
                let (name, element, shape) = field_of(field)?;
                if element.kind == Kind::Other(OBJECTS.to_owned()) {
                    return Ok(element);
                }
                let too_long = || format!("has a field {name} that is out of bounds");
                let count = product(&shape).ok_or_else(too_long)?;
                let bytes = count.checked_mul(element.size).ok_or_else(too_long)?;
                let offset = size;
                size = size.checked_add(bytes).ok_or_else(too_long)?;
                if !name.is_empty() && !names.insert(name.clone()) {
                    return Err(format!("has two fields {name}"));
                }
                let scalar = match element.kind {
                    Kind::Numbers(dtype) => Ok(Scalar { dtype, big_endian: element.big_endian }),
                    other => Err(other.to_string()),
                };
                // NumPy pads structs with fields without a name.
                if !name.is_empty() {
                    found.push(Field { name, offset, count, scalar });
                }
            }
            let kind = Kind::Record(Record { size, fields: found });
            Ok(Element { kind, big_endian: false, size })
        }
        _ => Err("has a descr that is no dtype".to_owned()),
    }
}

/// Name, element and shape of a field.
fn field_of(field: &Literal) -> Result<(String, Element, Vec<usize>), String> {
    let wrong = || "has a field that is no tuple of name and dtype".to_owned();
    let Literal::Tuple(parts) = field else { return Err(wrong()) };
    let (name, descr, shape) = match parts.as_slice() {
        [name, descr] => (name, descr, Vec::new()),
        [name, descr, Literal::Tuple(shape)] => (name, descr, lengths(shape)?),
        [name, descr, length @ Literal::Integer(_)] => {
            (name, descr, lengths(std::slice::from_ref(length))?)
        }
        _ => return Err(wrong()),
    };
    let name = match name {
        Literal::Text(name) => name,
        // A title goes before the name.
        Literal::Tuple(names) => match names.as_slice() {
            [Literal::Text(_), Literal::Text(name)] => name,
            _ => return Err(wrong()),
        },
        _ => return Err(wrong()),
    };
    Ok((name.clone(), element(descr)?, shape))
}

/// A dtype such as `<f4`.
fn plain(code: &str) -> Result<Element, String> {
    let unknown = || format!("has the unknown dtype {code}");
    let mut chars = code.chars();
    let order = chars.next().ok_or_else(unknown)?;
    let class = chars.next().ok_or_else(unknown)?;
    // A date has its unit behind its size, as in `<M8[ns]`.
    let digits = chars.as_str().split('[').next().unwrap_or_default();
    if code == "|O" {
        return Ok(Element { kind: Kind::Other(OBJECTS.to_owned()), big_endian: false, size: 8 });
    }
    let size: usize = match digits.bytes().all(|b| b.is_ascii_digit()) {
        true => digits.parse().map_err(|_| unknown())?,
        false => return Err(unknown()),
    };
    let big_endian = match order {
        '<' => false,
        '>' => true,
        '|' => false,
        _ => return Err(unknown()),
    };
    let number = |dtype| match order == '|' && size > 1 {
        true => Err(unknown()),
        false => Ok(Kind::Numbers(dtype)),
    };
    let other = |name: &str| Kind::Other(name.to_owned());
    let kind = match (class, size) {
        ('b', 1) => number(Dtype::Bool)?,
        ('f', 2) => number(Dtype::F16)?,
        ('f', 4) => number(Dtype::F32)?,
        ('f', 8) => number(Dtype::F64)?,
        ('i' | 'u', 1 | 2 | 4 | 8) => {
            number(Dtype::Int { bits: 8 * size as u32, signed: class == 'i' })?
        }
        ('f', _) => other("long double"),
        ('c', _) => other("complex numbers"),
        ('S' | 'a' | 'U', _) => other("text"),
        ('m' | 'M', _) => other("dates or times"),
        ('V', _) => other("bytes without a type"),
        _ => return Err(unknown()),
    };
    // The size of a text is in characters of four bytes.
    let size = if class == 'U' { size.checked_mul(4).ok_or_else(unknown)? } else { size };
    Ok(Element { kind, big_endian, size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn file(version: u8, text: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([version, 0]);
        match version {
            1 => bytes.extend((text.len() as u16).to_le_bytes()),
            _ => bytes.extend((text.len() as u32).to_le_bytes()),
        }
        bytes.extend(text.as_bytes());
        bytes
    }

    fn header(descr: &str, shape: &str) -> Result<Array, String> {
        let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n");
        read(file(1, &text).as_slice())
    }

    #[test]
    fn versions() {
        let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }\n";
        for (version, start) in [(1, 10), (2, 12), (3, 12)] {
            let array = read(file(version, text).as_slice()).unwrap();
            assert_eq!(array.start, start + text.len() as u64);
            assert_eq!((array.shape, array.bytes), (vec![3, 2], 24));
            assert_eq!(array.kind, Kind::Numbers(Dtype::F32));
        }
        assert!(read(file(4, text).as_slice()).unwrap_err().contains("has version 4"));
    }

    #[test]
    fn dtypes() {
        let int = |bits, signed| Dtype::Int { bits, signed };
        for (code, dtype, big) in [
            ("'<f2'", Dtype::F16, false),
            ("'>f8'", Dtype::F64, true),
            ("'|b1'", Dtype::Bool, false),
            ("'|i1'", int(8, true), false),
            ("'<u8'", int(64, false), false),
            ("'>i4'", int(32, true), true),
        ] {
            let array = header(code, "(1,)").unwrap();
            assert_eq!((array.kind, array.big_endian), (Kind::Numbers(dtype), big), "{code}");
        }
        for (code, name) in [
            ("'<c8'", "complex numbers"),
            ("'<U7'", "text"),
            ("'|S3'", "text"),
            ("'<M8[ns]'", "dates or times"),
            ("'<f16'", "long double"),
            ("'|V4'", "bytes without a type"),
        ] {
            assert_eq!(header(code, "(1,)").unwrap().kind, Kind::Other(name.to_owned()));
        }
        for code in ["'|f4'", "'=f4'", "'f4'", "'<f'", "'<f+4'", "'<x4'", "''", "'<i3'", "'<b2'"] {
            assert!(header(code, "(1,)").unwrap_err().contains("unknown dtype"), "{code}");
        }
        for code in ["'|O'", "[('a', '<f4'), ('b', '|O')]"] {
            assert_eq!(header(code, "(1,)").unwrap().kind, Kind::Other(OBJECTS.to_owned()));
        }
    }

    #[test]
    fn structs() {
        let array = header(
            "[('pt', '>f4'), ('', '|V4'), (('title', 'cov'), '<i2', (2, 3)), ('id', '<U2', 2), \
             ('in', [('x', '<f8')])]",
            "(5,)",
        )
        .unwrap();
        let Kind::Record(record) = array.kind else { panic!() };
        assert_eq!((record.size, array.bytes), (44, 220));
        let scalar = |dtype, big_endian| Ok(Scalar { dtype, big_endian });
        let expected = [
            ("pt", 0, 1, scalar(Dtype::F32, true)),
            ("cov", 8, 6, scalar(Dtype::Int { bits: 16, signed: true }, false)),
            ("id", 20, 2, Err("text".to_owned())),
            ("in", 36, 1, Err("a compound type with fields x".to_owned())),
        ];
        let found: Vec<_> = record
            .fields
            .iter()
            .map(|f| (f.name.as_str(), f.offset, f.count, f.scalar.clone()))
            .collect();
        assert_eq!(found, expected);
        for (descr, why) in [
            ("[('a', '<f4'), ('a', '<f4')]", "two fields a"),
            ("[('a',)]", "no tuple of name and dtype"),
            ("['a']", "no tuple of name and dtype"),
            ("[(1, '<f4')]", "no tuple of name and dtype"),
            ("[('a', '<f4', (9999999999, 9999999999))]", "out of bounds"),
            ("7", "no dtype"),
        ] {
            assert!(header(descr, "(1,)").unwrap_err().contains(why), "{descr}");
        }
    }

    #[test]
    fn shapes() {
        assert_eq!(header("'<f4'", "()").unwrap().shape, [0usize; 0]);
        for (shape, why) in [
            ("(9999999999, 9999999999)", "out of bounds"),
            ("(4611686018427387904,)", "out of bounds"),
            ("('a',)", "no tuple of lengths"),
            ("3", "lacks descr"),
        ] {
            assert!(header("'<f4'", shape).unwrap_err().contains(why), "{shape}");
        }
    }

    #[test]
    fn fortran_order() {
        let text =
            |shape: &str| format!("{{'descr': '<f4', 'fortran_order': True, 'shape': {shape}, }}");
        let array = read(file(1, &text("(3,)")).as_slice()).unwrap();
        assert_eq!(array.kind, Kind::Numbers(Dtype::F32));
        let array = read(file(1, &text("(3, 4)")).as_slice()).unwrap();
        assert!(array.kind.to_string().contains("Fortran order"), "{}", array.kind);
    }

    fn dtype() -> impl Strategy<Value = (String, Dtype, bool)> {
        let int = |bits, signed| Dtype::Int { bits, signed };
        let all = vec![
            ("f2", Dtype::F16),
            ("f4", Dtype::F32),
            ("f8", Dtype::F64),
            ("i2", int(16, true)),
            ("i4", int(32, true)),
            ("u8", int(64, false)),
        ];
        (prop::sample::select(all), any::<bool>()).prop_map(|((code, dtype), big)| {
            (format!("{}{code}", if big { '>' } else { '<' }), dtype, big)
        })
    }

    proptest! {
        #[test]
        fn what_numpy_writes_is_read(
            version in 1..=3u8,
            (code, dtype, big_endian) in dtype(),
            shape in prop::collection::vec(0..1000usize, 0..5),
            blanks in 0..70usize,
        ) {
            let lengths: String = shape.iter().map(|n| format!("{n}, ")).collect();
            let blanks = " ".repeat(blanks);
            let text = format!(
                "{{'descr': '{code}', 'fortran_order': False, 'shape': ({lengths}), }}{blanks}\n"
            );
            let bytes = (shape.iter().product::<usize>() * dtype.size()) as u64;
            let start = if version == 1 { 10 } else { 12 } + text.len() as u64;
            let kind = Kind::Numbers(dtype);
            // `(3, )` is a tuple, and so is `()`.
            let expected = Array { shape, kind, big_endian, start, bytes };
            prop_assert_eq!(read(file(version, &text).as_slice()), Ok(expected));
        }

        #[test]
        fn any_text_is_a_header_or_an_error(
            text in ".{0,80}",
            inner in r"[\]\[(){},:' <>|OfiuSUV0-9]{0,40}",
            bytes in prop::collection::vec(any::<u8>(), 0..80),
        ) {
            let _ = read(file(3, &text).as_slice());
            let _ = read(file(1, &format!("{{'descr': {inner}, 'shape': (3,)}}")).as_slice());
            let _ = header(&inner, "(3,)");
            let _ = header("'<f4'", &inner);
            let _ = read([&MAGIC[..], &bytes].concat().as_slice());
        }
    }

    #[test]
    fn damaged() {
        let whole = file(2, "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }");
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]).unwrap_err(), "ends too early");
        }
        let mut endless = whole.clone();
        endless[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(read(endless.as_slice()).unwrap_err().contains("supported are"));
        for (text, why) in [
            ("[]", "is no dict"),
            ("{1: 2}", "no text"),
            ("{'descr': '<f4', 'shape': (3,)}", "lacks"),
            ("{'descr': '<f4', 'descr': '<f4'}", "twice"),
            ("{'colour': 'red'}", "unknown key colour"),
            ("{'descr'", "is no Python literal"),
        ] {
            assert!(read(file(3, text).as_slice()).unwrap_err().contains(why), "{text}");
        }
    }
}
