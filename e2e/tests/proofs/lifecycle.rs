//! The loop as a guest on the machine: a second `up` changes nothing, and `down` leaves nothing.

use std::time::Instant;

use anyhow::{Context, Result};
use e2e::Loop;
use e2e::machine::Machine;
use e2e::report::{Report, ensure};
use e2e::wait::seconds;

pub fn up_while_it_is_up_says_so_and_restarts_nothing(the_loop: &Loop, report: &mut Report) -> Result<()> {
    let pids = || -> Result<Vec<u8>> { Ok(the_loop.loopctl().arg("status").output()?.stdout) };
    let processes = |status: &[u8]| -> Vec<String> {
        let status = String::from_utf8_lossy(status).into_owned();
        status.lines().filter_map(|line| Some(line.split_once("process ")?.1.split(' ').next()?.to_owned())).collect()
    };
    let before = processes(&pids()?);
    let begin = Instant::now();
    let output = the_loop.loopctl().arg("up").output().context("cannot run loopctl")?;
    let took = begin.elapsed();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure("exit code 0", output.status.success(), &said)?;
    ensure("a first line that says it is up already", said.starts_with("The loop is up already."), &said)?;
    let after = processes(&pids()?);
    ensure("the same processes as before", !before.is_empty() && before == after, format!("{before:?} {after:?}"))?;
    report.measured(format!("{} processes stayed as they were; it took {}", after.len(), seconds(took)));
    Ok(())
}

/// Not in the list of proofs, because it needs the moment before `up` and the one after `down`.
pub fn down_leaves_the_machine_as_up_found_it(before: &Machine, during: &Machine, report: &mut Report) -> Result<()> {
    let while_up = during.left_behind(before);
    let left = Machine::now().left_behind(before);
    ensure("nothing", left.is_empty(), left.join("\n"))?;
    report.measured("processes, mounts, interfaces, routes, iptables rules, control groups, kernel settings, folders");
    ensure("the same look to see the loop while it is up", while_up.len() > 50, while_up.join("\n"))?;
    report.control(format!("the same comparison sees {} new things while the loop is up", while_up.len()));
    Ok(())
}
