//! The commands around installing: a first configuration, what is missing, health, and what is printed for others.

use std::{path::PathBuf, process::ExitCode};

use super::{
    args::{BundleArgs, DoctorArgs, HealthArgs, InitArgs, ManArgs, SchemaArgs},
    ask, block_on, bundle,
    ended::ended,
    exit::{self, Exit},
    host, load_here, load_traced_here, misconfigured,
    output::{Output, say},
    paper, print, remote, unwritten,
};
use crate::{app, config};

pub(super) fn init(args: InitArgs) -> Result<ExitCode, Exit> {
    use app::init::InitError;
    let told = |error: InitError| match &error {
        InitError::Connect(cause) => ended(cause),
        InitError::Role(_) => Exit::new(exit::USAGE, &error, ""),
        InitError::Exists(_) => {
            let help = "name another file with --output, or move that one away";
            Exit::new(exit::USAGE, &error, help)
        }
        InitError::Write { .. } => Exit::new(exit::STORE, &error, "name another with --output"),
        InitError::Faults(cause) => {
            Exit::rendered(exit::USAGE, format!("error: {error}\n{}", reasons(cause)))
        }
    };
    if args.output.exists() {
        return Err(told(InitError::Exists(args.output)));
    }
    let wishes = app::init::Wishes {
        roles: args.role,
        topic: args.topic,
    };
    let found = block_on(app::init::find(&wishes))?.map_err(told)?;
    let schema = PathBuf::from("/usr/share/bedrock-ops-alert/config.schema.json");
    let schema = schema.exists().then_some(schema.as_path());
    let text = app::init::text(&found, &wishes, schema).map_err(told)?;
    app::init::write(&args.output, &text).map_err(told)?;
    let file = args.output.display();
    say(&format!(
        "wrote {file}; next: bedrock-ops-alert doctor --config {file}"
    ));
    Ok(ExitCode::SUCCESS)
}

fn reasons(faults: &config::ConfigError) -> String {
    let faults = faults
        .faults()
        .iter()
        .map(|fault| format!("  because: {fault}"));
    faults.collect::<Vec<_>>().join("\n")
}

pub(super) fn doctor(args: &DoctorArgs) -> Result<ExitCode, Exit> {
    let settings = load_here(args.overrides.clone())?;
    let checkup = block_on(app::doctor::examine(&settings))?;
    let format = if args.json {
        remote::Format::Json
    } else {
        remote::Format::Text
    };
    super::doctor::write(&checkup, format, &mut Output::new())
        .map_err(|error| unwritten(&error))?;
    Ok(ExitCode::from(super::doctor::exit_code(&checkup)))
}

pub(super) fn bundle(args: &BundleArgs) -> Result<ExitCode, Exit> {
    let loaded = load_traced_here(args.overrides.clone())?;
    let bundle = block_on(bundle::collect(&loaded, &args.address()))?;
    bundle::write(&args.output, &bundle).map_err(|error| {
        let help = "name another file with --output; one that is there is left as it is";
        Exit::new(exit::STORE, &error, help)
    })?;
    let file = args.output.display();
    say(&format!(
        "wrote {file}; look through it before you send it: zless {file}"
    ));
    Ok(ExitCode::SUCCESS)
}

pub(super) fn health(args: &HealthArgs) -> Result<ExitCode, Exit> {
    let listen = args.listen.map(remote::base_url);
    let url = args.url.clone().or(listen);
    let url = url.unwrap_or_else(|| host::address(None, None));
    let is_well = ask(async |out| super::health::health(&url, args.ready, out).await)?;
    Ok(if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(exit::FAILED)
    })
}

pub(super) fn man(args: &ManArgs) -> Result<ExitCode, Exit> {
    if let Some(folder) = &args.folder {
        std::fs::create_dir_all(folder).map_err(|error| unwritten(&error))?;
        paper::pages(folder).map_err(|error| unwritten(&error))?;
        return Ok(ExitCode::SUCCESS);
    }
    match paper::page(args.command.as_deref(), &mut Output::new()) {
        Some(written) => written.map_err(|error| unwritten(&error))?,
        None => {
            let text =
                "error: there is no such command\n  help: `bedrock-ops-alert --help` lists them";
            return Err(Exit::rendered(exit::USAGE, text.to_owned()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn schema(args: &SchemaArgs) -> Result<ExitCode, Exit> {
    let schema = paper::schema(args.of).map_err(misconfigured)?;
    print(|out| writeln!(out, "{schema:#}"))
}
