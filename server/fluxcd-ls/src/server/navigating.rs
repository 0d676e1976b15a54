//! Definitions, references and links.

use manifests::RepoPath;

use super::documents::Text;
use super::to_lsp;
use super::view::View;
use super::world::Capabilities;
use crate::lsp::backend::ClientMessage;
use crate::lsp::convert;
use crate::lsp::types as lsp;

/// Whether a question is one of these.
pub(crate) fn is_navigation(question: &ClientMessage) -> bool {
    matches!(
        question,
        ClientMessage::Definition(..) | ClientMessage::References(..) | ClientMessage::Links(..)
    )
}

/// Answers one of these questions; others are dropped, which the editor hears as an error.
pub(crate) fn answer(
    question: ClientMessage,
    view: &View,
    uri: &lsp::Uri,
    path: &RepoPath,
    text: &Text,
    client: &Capabilities,
) {
    let offset = |at: lsp::Position| convert::text_size(convert::from_lsp(text.rope(), at));
    // A way back that is closed belongs to a question that the editor took back.
    match question {
        ClientMessage::Definition(at, reply) => {
            let at = offset(at.position);
            let found = view.ask(|inputs| analysis::definition(inputs, path, text.parsed(), at));
            let answer = found
                .map(|it| to_lsp::definition(view, uri, path, text.rope(), &it, client.definition_links));
            let _ = reply.send(Ok(answer));
        }
        ClientMessage::References(params, reply) => {
            let at = offset(params.text_document_position_params.position);
            let declaration = params.context.include_declaration;
            let found = view.ask(|inputs| analysis::references(inputs, path, text.parsed(), at, declaration));
            let places = found.iter().filter_map(|it| to_lsp::location(view, uri, path, it)).collect();
            let _ = reply.send(Ok(Some(places)));
        }
        ClientMessage::Links(_, reply) => {
            let found = view.ask(|inputs| analysis::links(inputs, path, text.parsed()));
            let links = found.into_iter().filter_map(|it| to_lsp::link(view, text.rope(), it)).collect();
            let _ = reply.send(Ok(Some(links)));
        }
        _ => {}
    }
}
