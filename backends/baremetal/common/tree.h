/* SPDX-License-Identifier: MIT */
/*
 * What any host's device tree says: memory, CPUs, where we and the bundle are. What only one
 * architecture's trees have, its backend reads by rules of its own, node by node, in the same walk.
 */
#ifndef TREE_H
#define TREE_H

#include <hv/fdt.h>
#include <common/ranges.h>

#define TREE_CPUS  8u /* as many as we use */
#define TREE_KINDS 8u /* most kinds of nodes that one set of rules tells apart */

/* First in each backend's struct host. */
struct tree {
	struct ranges ram; /* free: without firmware's, ours, the tree's and the initrd's */
	struct range dtb, initrd;
	struct range uart;
	struct range rtc;        /* size 0: none */
	uint64_t cpu[TREE_CPUS]; /* their "reg", in the tree's order */
	uint32_t cpu_count;      /* those that have room here */
};

/* What a rule works with: the node at hand, and what has been found so far. */
struct tree_reader {
	struct tree *tree;
	const struct tree_rules *rules;
	const struct hv_fdt *fdt;
	const struct hv_fdt_node *node;
	struct hv_load_error *error;
	struct ranges used; /* taken out of tree->ram at the end, when all RAM is known */
	bool found[TREE_KINDS];
	bool in_reserved; /* below /reserved-memory */
	bool in_cpus;     /* below /cpus */
};

/* Nodes that are known by "compatible"; the first enabled one of a kind counts. */
struct tree_rule {
	const char *compatible;
	uint8_t kind;
	enum hv_status (*read)(struct tree_reader *reader);
};

struct tree_rules {
	const struct tree_rule *rule;
	uint32_t count;
	/* Of each kind, how its absence is reported; NULL: we can do without. */
	const char *needed[TREE_KINDS];
	/* Of a node right below the root, by its name; may be NULL. */
	enum hv_status (*named)(struct tree_reader *reader);
	/* Of each CPU, after it was counted, and of each node in it; may be NULL. */
	enum hv_status (*cpu)(struct tree_reader *reader);
};

/*
 * The whole tree is checked, then what we need is looked up. `image` is where we are. On failure
 * what could be found is filled in, so that there may be somebody to tell; *error says the rest.
 */
HV_WARN_UNUSED enum hv_status tree_read(struct tree *tree, const struct tree_rules *rules,
	const void *dtb, struct range image, struct hv_load_error *error);

/* For rules. */
enum hv_status tree_refuse(struct tree_reader *reader, const char *field, const char *why);
/* Range `index` of the node's "reg", as the CPU sees it. */
HV_WARN_UNUSED enum hv_status tree_reg(
	struct tree_reader *reader, uint32_t index, struct range *range);
bool tree_has_name(const struct hv_fdt_node *node, const char *name);

#endif
