//! The repository on the disk comes, goes and changes while the server runs.

use std::path::Path;

use crate::fleet::{APPS, FILES, INFRA, NO_FOLDER, list};
use crate::harness::{Editor, Setup};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Removes a folder, waits for what that says, and lays the folder out again, piece by piece as a checkout does it.
async fn lay_out_again(editor: &mut Editor, folder: &str, gone: impl AsyncFnOnce(&mut Editor)) {
    let folder = editor.repo.join(folder);
    let kept = editor.repo.with_file_name("kept");
    copy(&folder, &kept);
    std::fs::remove_dir_all(&folder).unwrap();
    gone(editor).await;
    copy(&kept, &folder);
}

/// Waits until a file has so many marks, whatever it had on the way there.
async fn wait_marks(editor: &mut Editor, file: &str, count: usize) {
    while editor.marks(file).await.len() != count {}
}

#[tokio::test]
async fn a_folder_that_comes_back() {
    let mut editor = Setup::new(FILES).recording(&list(Some(NO_FOLDER))).hello().await;
    editor.open(INFRA).await;
    wait_marks(&mut editor, APPS, 1).await;
    lay_out_again(&mut editor, "clusters", async |editor| wait_marks(editor, APPS, 0).await).await;
    wait_marks(&mut editor, APPS, 1).await;
    // It is watched as the one before was.
    std::fs::remove_file(editor.repo.join(APPS)).unwrap();
    wait_marks(&mut editor, APPS, 0).await;
    editor.goodbye().await;
}

#[tokio::test]
async fn a_repository_that_comes_back() {
    let mut editor = Setup::new(FILES).recording(&list(Some(NO_FOLDER))).hello().await;
    editor.open(APPS).await;
    wait_marks(&mut editor, APPS, 1).await;
    lay_out_again(&mut editor, "", async |editor| wait_marks(editor, APPS, 0).await).await;
    wait_marks(&mut editor, APPS, 1).await;
    editor.wait_lens(APPS, "✗ staging: failed").await;
    editor.close(APPS).await;
    std::fs::remove_file(editor.repo.join(APPS)).unwrap();
    wait_marks(&mut editor, APPS, 0).await;
    editor.goodbye().await;
}
