//! `wasm-bindgen` as its own package ships it, built from the workspace's lock file: a clean clone needs no
//! `cargo install`, and the command can never differ from the library in version.

use std::process::ExitCode;

fn main() -> ExitCode {
    match wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(std::env::args_os()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}
