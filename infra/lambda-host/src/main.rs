//! Lambda on this machine: runs the functions of template.yaml as processes that speak the runtime API, with the Invoke API, an HTTP API
//! front, EventBridge Scheduler's clock and Step Functions before them. Loopback only; asks nobody who they are; never deployed. Not as Lambda: instances
//! are not frozen between invokes, memory counts one process, and nothing stops functions that invoke each other without end.
//!
//! `lambda-host <configuration file>` or `lambda-host -` for standard input. Its first line on standard output is a JSON object with the
//! addresses it listens on.

mod config;
mod expression;
mod function;
mod gateway;
mod host;
mod ids;
mod instance;
mod invoke_api;
mod logbook;
mod managed;
mod process;
mod runtime_api;
mod states;
mod ticker;

use std::{io::Read, net::SocketAddr, path::Path, process::ExitCode, sync::Arc, time::Duration};

use serde_json::json;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(e) => {
            eprintln!("lambda-host: {e}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(serve()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("lambda-host: {e}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), String> {
    let config = config::Config::parse(&read_configuration()?)?;
    let (invoke, invoke_at) = listen(config.invoke).await?;
    let (front, front_at) = listen(config.front).await?;
    let (states, states_at) = listen(config.states).await?;
    let (parent, tick) = (config.parent_pid, config.tick);
    let host = Arc::new(host::Host::new(config)?);
    let invoke_router = host::invoke_router(host.clone());
    let front_router = host::front_router(host.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let states_router = states::router(host.state_machines());
    for schedule in host.schedules().iter().filter(|s| tick && s.enabled()) {
        tokio::spawn(schedule.clone().run());
    }
    if tick && !host.managed().is_empty() {
        tokio::spawn(watch(host.clone()));
    }
    let at = |address| format!("http://{address}");
    println!("{}", json!({"invoke": at(invoke_at), "front": at(front_at), "states": at(states_at)}));
    let result = tokio::select! {
        result = async { axum::serve(invoke, invoke_router).await } => result.map_err(|e| format!("the Invoke API ended: {e}")),
        result = async { axum::serve(front, front_router).await } => result.map_err(|e| format!("the HTTP front ended: {e}")),
        result = async { axum::serve(states, states_router).await } => result.map_err(|e| format!("the API of Step Functions ended: {e}")),
        result = told_to_stop(parent) => result,
    };
    host.kill_all();
    result
}

/// Fires what is due in the managed groups, to the second.
async fn watch(host: Arc<host::Host>) {
    let mut told = String::new();
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        if let Err(why) = host.managed().advance(&host, jiff::Timestamp::now()).await {
            if why != told {
                tracing::warn!("schedules of functions do not fire: {why}");
            }
            told = why;
        }
    }
}

fn read_configuration() -> Result<String, String> {
    let mut arguments = std::env::args().skip(1);
    let (Some(from), None) = (arguments.next(), arguments.next()) else {
        return Err("usage: lambda-host <configuration file> | -".into());
    };
    if from == "-" {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(|e| format!("cannot read standard input: {e}"))?;
        Ok(text)
    } else {
        std::fs::read_to_string(&from).map_err(|e| format!("cannot read {from}: {e}"))
    }
}

async fn listen(at: SocketAddr) -> Result<(TcpListener, SocketAddr), String> {
    let listener = TcpListener::bind(at).await.map_err(|e| format!("cannot listen on {at}: {e}"))?;
    let at = listener.local_addr().map_err(|e| format!("cannot listen on {at}: {e}"))?;
    Ok((listener, at))
}

/// SIGTERM, SIGINT, or the end of the process that the host belongs to.
async fn told_to_stop(parent: Option<u32>) -> Result<(), String> {
    let signals = |kind| signal(kind).map_err(|e| format!("cannot hear signals: {e}"));
    let (mut terminate, mut interrupt) =
        (signals(SignalKind::terminate())?, signals(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = orphaned(parent) => {}
    }
    Ok(())
}

async fn orphaned(parent: Option<u32>) {
    match parent {
        None => std::future::pending().await,
        Some(pid) => {
            while Path::new(&format!("/proc/{pid}")).exists() {
                tokio::time::sleep(Duration::from_millis(250)).await;
            }
        }
    }
}
