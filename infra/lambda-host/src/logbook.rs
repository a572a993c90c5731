//! The functions' logs: CloudWatch's place. One file per function, the lines of all its instances in the order they came.

use std::{
    collections::HashMap,
    fs::{File, OpenOptions},
    io::Write,
    path::{Path, PathBuf},
    sync::Mutex,
};

/// Where lines go.
pub struct LogBook {
    folder: Option<PathBuf>,
    files: Mutex<HashMap<String, File>>,
}

impl LogBook {
    /// Writes `<function>.log` files below `folder`, or to standard output without one.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(folder: Option<&Path>) -> std::io::Result<Self> {
        if let Some(folder) = folder {
            std::fs::create_dir_all(folder)?;
        }
        Ok(Self { folder: folder.map(Path::to_owned), files: Mutex::new(HashMap::new()) })
    }

    /// A line that a function wrote itself.
    pub fn function_line(&self, function: &str, line: &str) {
        match self.folder {
            Some(_) => self.to_file(function, line),
            None => println!("[{function}] {line}"),
        }
    }

    /// A START, END or REPORT line: to the function's log and to standard output.
    pub fn platform_line(&self, function: &str, line: &str) {
        if self.folder.is_some() {
            self.to_file(function, line);
        }
        println!("[{function}] {line}");
    }

    fn to_file(&self, function: &str, line: &str) {
        let Some(folder) = &self.folder else { return };
        let Ok(mut files) = self.files.lock() else { return };
        if !files.contains_key(function) {
            let path = folder.join(format!("{function}.log"));
            match OpenOptions::new().create(true).append(true).open(&path) {
                Ok(file) => {
                    files.insert(function.to_owned(), file);
                }
                Err(e) => {
                    tracing::error!("cannot write {}: {e}", path.display());
                    return;
                }
            }
        }
        if let Some(file) = files.get_mut(function)
            && let Err(e) = file.write_all(format!("{line}\n").as_bytes())
        {
            tracing::error!("cannot write the log of {function}: {e}");
        }
    }
}
