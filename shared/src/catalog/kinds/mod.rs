//! One file per kind of object; [`collect`] is the one place where a kind is registered.

pub mod aggregates;
pub mod database;
pub mod default_acl;
pub mod event_triggers;
pub mod extensions;
pub mod foreign_data;
pub mod large_objects;
pub mod routines;
pub mod schemas;
pub mod subscriptions;
pub mod types;
pub mod user_mappings;

mod access_methods;
mod attach;
mod casts;
mod checks;
mod collations;
mod columns;
mod conversions;
mod defaults;
mod extension_config;
mod foreign_keys;
mod indexes;
mod languages;
mod operator_classes;
mod operator_members;
mod operators;
mod planner_statistics;
mod policies;
mod publications;
mod relations;
mod rules;
mod sequences;
mod statistics;
mod table_data;
mod tables;
mod text_search;
mod transforms;
mod triggers;
mod views;

use super::{
    acl, bonds, comments,
    draft::{Context, Drafts},
    labels,
};
use crate::base::Result;

/// Collects the drafts of every kind. The order of the lines has no meaning for the archive, except that comments and grants look at what
/// is there.
pub(crate) async fn collect(cx: &Context<'_>, out: &mut Drafts) -> Result<()> {
    let relations = relations::Relations::load(cx).await?;
    let indexes = indexes::Indexes::load(cx, &relations).await?;

    schemas::collect(cx, out).await?;
    extensions::collect(cx, out).await?;
    types::collect(cx, out).await?;
    routines::collect(cx, out).await?;
    aggregates::collect(cx, out).await?;
    casts::collect(cx, out).await?;
    operators::collect(cx, out).await?;
    operator_classes::collect(cx, out).await?;
    access_methods::collect(cx, out).await?;
    collations::collect(cx, out).await?;
    conversions::collect(cx, out).await?;
    languages::collect(cx, out).await?;
    transforms::collect(cx, out).await?;
    text_search::collect(cx, out).await?;
    tables::collect(cx, &relations, out).await?;
    attach::collect(&relations, out);
    sequences::collect(cx, &relations, out).await?;
    views::collect(cx, &relations, out).await?;
    table_data::collect(&relations, out);
    extension_config::collect(cx, &relations, out).await?;
    large_objects::collect(cx, out).await?;
    indexes.collect(&relations, out);
    planner_statistics::collect(cx, &relations, &indexes, out).await?;
    foreign_keys::collect(cx, &relations, &indexes, out).await?;
    triggers::collect(cx, &relations, out).await?;
    rules::collect(cx, &relations, out).await?;
    policies::collect(cx, &relations, out).await?;
    default_acl::collect(cx, out).await?;
    foreign_data::collect(cx, out).await?;
    user_mappings::collect(cx, out).await?;
    statistics::collect(cx, &relations, out).await?;
    event_triggers::collect(cx, out).await?;
    publications::collect(cx, &relations, out).await?;
    subscriptions::collect(cx, out).await?;

    bonds::collect(cx, out).await?;
    comments::collect(cx, out).await?;
    labels::collect(cx, out).await?;
    acl::collect(cx, out).await
}
