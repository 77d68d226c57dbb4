//! The limits in docs/security.md are those of the code.

use std::path::Path;

#[test]
fn limits_are_those_of_the_code() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let read = |file: &str| std::fs::read_to_string(root.join(file)).expect(file);
    let mut rows = 0;
    for line in read("docs/security.md").lines() {
        let code: Vec<&str> = line.split('`').collect();
        let [_, file, _, constant, _] = code.as_slice() else { continue };
        if !(line.starts_with('|') && file.ends_with(".rs")) {
            continue;
        }
        rows += 1;
        let wanted = format!("const {constant};");
        assert!(read(file).contains(&wanted), "{file} has no `{wanted}`");
        // What is said in words is what the code says.
        let value = line.split('|').nth(2).expect("a value").trim().replace(',', "");
        let number: String = value.chars().take_while(|c| c.is_ascii_digit()).collect();
        let expression = constant.split(" = ").nth(1).expect("an expression").replace('_', "");
        let same = match (value.split_once('^'), value.split_once(' ')) {
            (Some((_, power)), _) => expression == format!("1 << {power}"),
            (_, Some((n, "MiB"))) => expression == format!("{n} << 20"),
            (_, Some((n, "KiB"))) => expression == format!("1 << {}", 10 + log2(n)),
            (_, Some((n, "GiB"))) => {
                expression == format!("{n} << 30") || expression == format!("1 << {}", 30 + log2(n))
            }
            (_, Some((n, "s"))) => expression == format!("Duration::fromsecs({n})"),
            _ => expression == number,
        };
        assert!(same, "{value} is not {expression}");
    }
    assert!(rows >= 25, "the table was not found");
}

fn log2(number: &str) -> u32 {
    number.parse::<u32>().expect("a number").ilog2()
}
