// The Merkle search tree (prolly tree) that keeps chunk lists and manifests.
//
//     level 2                    [ root ]
//     level 1         [ node ][ node ]   [ node ]        an item = a node below
//     level 0     [32-512 items][...][...]   [...][...]  an item = a chunk, or an entry
//
// Where a node ends depends on the items alone.  So equal sequences give equal trees, whatever the
// order of edits was; an edit writes only the nodes on the way from its item to the root; and equal
// subtrees are recognized by their ids.  The boundary rule follows Noms and Dolt.  Identities and
// bytes: dig-layer-format(5).
//
// This header is the whole tree.  Its parts are the id of a node (node_id), the node itself
// (tree_node), building from items (tree_builder), walking and seeking (tree_cursor), comparing two
// trees (tree_difference) and applying changes to a manifest (manifest_update).
#ifndef DIG_SEARCH_TREE_H
#define DIG_SEARCH_TREE_H

#include "libdig/format/manifest_update.h"
#include "libdig/format/tree_builder.h"
#include "libdig/format/tree_cursor.h"
#include "libdig/format/tree_difference.h"
#include "libdig/format/tree_node.h"

#endif
