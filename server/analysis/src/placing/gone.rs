//! Where something was taken out that is not in the texts any more: the document that said it, or the kustomization file that
//! does not take that document any more.

use manifests::kustomize::{Files, Use, is_kustomization_name};
use manifests::{RepoPath, Site, TextRange};

use super::build::{entries, first_key, in_document};
use super::{Applied, Scene, Spot};

impl Scene<'_> {
    /// What is left of the place of a value that was built of what was applied.
    pub(super) fn left_of(&self, was: &Site, applied: &Applied<'_>) -> Option<Spot> {
        let content = self.content.as_ref()?;
        let is_read = |it: &RepoPath| content.build.files.contains_key(it);
        let read_then = &applied.content.build.files;
        if is_read(was.path()) || !read_then.contains_key(was.path()) {
            return self.left(was);
        }
        let then = Files::new(applied.tree);
        let of_build =
            read_then.iter().filter(|(path, uses)| uses.contains(&Use::BuildFile) && is_read(path));
        let entry = of_build.map(|(path, _)| path).find_map(|path| {
            let folder = path.parent()?;
            let root = then.values(path)?.values.iter().flatten().next().cloned()?;
            let leads = |text: &str| folder.join(text).as_ref() == Some(was.path());
            entries(&root).into_iter().find(|it| it.as_str().is_some_and(leads))?.site.clone()
        });
        self.left(&entry?)
    }

    /// What is left of a place: of a kustomization file the key that it was below, else the name of the object, else where the
    /// document begins.
    fn left(&self, was: &Site) -> Option<Spot> {
        let path = was.path();
        let file = self.files.values(path)?;
        let documents = file.file.documents();
        let index = was.document_index();
        let (index, placed) =
            documents.get(index).map(|it| (index, it)).or_else(|| Some((0, documents.first()?)))?;
        let root = placed.document.root.as_ref()?;
        let range: Option<TextRange> = if is_kustomization_name(path.file_name()) {
            was.top_key().and_then(|key| root.entry(&key)).map(|it| it.key.range)
        } else {
            placed.document.identity().map(|it| it.name_range)
        };
        match range {
            Some(range) => Some(in_document(path, index, placed, range)),
            None => first_key(path, (index, placed)),
        }
    }
}
