//! What `docs/explain.md` shows is what the program prints.

use std::path::Path;
use std::process::Command;

#[test]
fn the_transcript_is_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("docs/explain.md")).expect("docs/explain.md");
    let block = text
        .split("```")
        .find_map(|block| block.strip_prefix("text\n$ verify "))
        .expect("a block that starts with the command");
    let (arguments, shown) = block.split_once('\n').expect("a command and its output");
    let output = Command::new(env!("CARGO_BIN_EXE_verify"))
        .args(arguments.split(' '))
        .current_dir(&root)
        .output()
        .expect("the program runs");
    assert_eq!(String::from_utf8(output.stderr).expect("text"), "");
    let printed = String::from_utf8(output.stdout).expect("text");
    assert_eq!(printed.trim_end(), shown.trim_end());
    assert_eq!(output.status.code(), Some(0));
    // A wrapped element with its bits.
    assert!(shown.contains("(0)1010.1111") && shown.contains("wraps (-16)"));
}
