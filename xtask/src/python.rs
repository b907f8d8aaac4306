//! The Python packages that the tests call, in a virtual environment under `target`.

use std::{fs, process::Command};

use crate::{
    run::{Outcome, root, run},
    tools,
};

const REQUIREMENTS: [&str; 2] = ["tests/openapi/requirements.txt", "tests/backends/requirements.txt"];

/// Makes the environment, unless it is there with these versions.
pub(crate) fn install() -> Outcome {
    let environment = tools::python_packages();
    let mut wanted = String::new();
    for file in REQUIREMENTS {
        wanted += &fs::read_to_string(root().join(file)).map_err(|error| format!("{file}: {error}"))?;
    }
    let installed = environment.join("installed.txt");
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    let python = tools::PYTHON_VENV.find().ok_or("a Python with `venv` is needed: Debian package python3-venv")?;
    run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check"]);
    for file in REQUIREMENTS {
        pip.arg("--requirement").arg(root().join(file));
    }
    run(&mut pip)?;
    fs::write(&installed, wanted).map_err(|error| format!("{}: {error}", installed.display()))
}
