//! What the README shows is what the program prints.

use std::path::Path;
use std::process::Command;

#[test]
fn the_demo_output_is_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let readme = std::fs::read_to_string(root.join("README.md")).expect("README.md");
    let block = readme
        .split("```")
        .find_map(|block| block.strip_prefix("text\n$ verify "))
        .expect("a block that starts with the command");
    let (arguments, shown) = block.split_once('\n').expect("a command and its output");
    let output = Command::new(env!("CARGO_BIN_EXE_verify"))
        .args(arguments.split(' '))
        .current_dir(&root)
        .output()
        .expect("the program runs");
    let printed = String::from_utf8(output.stdout).expect("text");
    assert_eq!(printed.trim_end(), shown.trim_end());
    assert_eq!(output.status.code(), Some(1));
}
