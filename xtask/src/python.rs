//! The Python packages that the tests call, in a virtual environment under `target`.

use std::{fs, process::Command};

use crate::{
    run::{Outcome, root, run},
    tools,
};

const REQUIREMENTS: [&str; 2] = ["tests/openapi/requirements.txt", "tests/backends/requirements.txt"];

/// Installed without what they depend on: of these packages only a file is used.
const FILES_ALONE: &str = "tests/browser/requirements.txt";

/// Makes the environment, unless it is there with these versions.
pub(crate) fn install() -> Outcome {
    let environment = tools::python_packages();
    let mut wanted = String::new();
    for file in REQUIREMENTS.into_iter().chain([FILES_ALONE]) {
        wanted += &fs::read_to_string(root().join(file)).map_err(|error| format!("{file}: {error}"))?;
    }
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let python = tools::PYTHON_VENV.find().ok_or("a Python with `venv` is needed: Debian package python3-venv")?;
    run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&environment))?;
    let pip = |files: &[&str], more: &[&str]| {
        let mut pip = Command::new(environment.join("bin/pip"));
        pip.args(["install", "--quiet", "--disable-pip-version-check"]).args(more);
        for file in files {
            pip.arg("--requirement").arg(root().join(file));
        }
        run(&mut pip)
    };
    pip(&REQUIREMENTS, &[])?;
    pip(&[FILES_ALONE], &["--no-deps"])?;
    fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))
}
