// SPDX-License-Identifier: GPL-2.0-only

/* Statements: set, add and sub on one field of the row that a packet means,
 * and flush of that row. They never hold a rule up: where there is no key, no
 * value or no room nothing is done, and the rule goes on.
 */
#ifndef NFTDICT_WRITE_H
#define NFTDICT_WRITE_H

#include "consult.h"
#include "number.h"

#define ADD_TRIES 32

#define SWEEP_NS 2000000

enum verb { SET, ADD, SUB };
enum origin { CONSTANT, SOURCE, NESTED_FIELD };

struct statement {
	struct chain key;
	struct ref ref; /* the fallback is what add and sub start from */
	__u32 verb;
	__u32 origin;
	__u32 source;
	__u32 named;	   /* keys are strings, and rows hold their text */
	__u64 life;	   /* of a row from now, in ns, 0 is without end */
	struct chain from; /* the value is a field of another row */
	struct ref from_ref;
	struct value constant;
	struct text text; /* of the constant, or of the default of from_ref */
	struct text name; /* of the default of the key */
};

const volatile struct statement told = {};

/* Room for a value, and later for a row. */
union room {
	struct text text;
	struct cell cell;
	struct named_row row;
};

/* Copies a string out of its element; false if that was reused meanwhile. */
static __always_inline bool copy_text(__u8 *to, const volatile struct text *fallback, struct text *elem, __u64 head)
{
	if (!elem) {
		__builtin_memcpy(to, (const void *)fallback->bytes, STRING_MAX);
		return true;
	}
	__builtin_memcpy(to, elem->bytes, STRING_MAX);
	barrier();
	return READ(elem->head) == head;
}

/* Not static, so that the verifier goes through it once for all its callers. */
noinline __u64 clamp(__u64 n)
{
	return clamped(n, told.ref.type);
}

/* Adds or subtracts within the limits of the type. Not static, as clamp. */
noinline __u64 sum(__u64 a, __u64 b)
{
	return saturated(a, b, told.verb != ADD, told.ref.type);
}

/* The value to set, add or subtract; a string's text goes to room. */
static __always_inline bool find_value(struct __sk_buff *skb, struct value *v, union room *room)
{
	struct text *elem = NULL;
	struct key k;

	switch (told.origin) {
	case SOURCE:
		if (!read_source(skb, told.source, v))
			return false;
		break;
	case NESTED_FIELD:
		if (!find_key(skb, told.from, 4, 5, &k, v, NULL))
			return false;
		if (!look_up(&rows3, &cells3, &strings3, &k, &told.from_ref, v, &elem))
			return false;
		break;
	default:
		v->words[0] = told.constant.words[0];
		v->words[1] = told.constant.words[1];
		v->type = told.constant.type;
		v->len = told.constant.len;
	}
	if (told.ref.type == STRING) {
		room->text.digest[0] = v->words[0];
		room->text.digest[1] = v->words[1];
		room->text.len = v->len;
		room->text.pad = 0;
		return copy_text(room->text.bytes, &told.text, elem, v->head);
	}
	if (told.ref.type == INT || told.ref.type == INT64) {
		v->type = told.ref.type;
		if (told.verb == SET)
			v->words[0] = clamp(v->words[0]);
	}
	return true;
}

static __always_inline long store_cell(__u64 tag, const struct value *v, __u64 first, union room *room, __u64 flags)
{
	long err;

	if (told.ref.type == STRING) {
		room->text.head = head_of(tag, STRING);
		err = update_elem(&strings, &tag, &room->text, flags);
		if (!err && told.ref.open)
			bpf_map_delete_elem(&cells, &tag);
		return err;
	}
	room->cell.head = head_of(tag, v->type);
	room->cell.data[0] = first;
	room->cell.data[1] = v->words[1];
	err = update_elem(&cells, &tag, &room->cell, flags);
	if (!err && told.ref.open)
		bpf_map_delete_elem(&strings, &tag);
	return err;
}

/* What the tries to add have in common. */
struct adding {
	__u64 tag;
	const struct value *value;
	union room *room;
	long error;
};

/* bpf_loop callback: one try to add to the number that is there. A loop of its
 * own would have the verifier go through every try.
 */
static long try_add(__u32 i, struct adding *a)
{
	__u64 tag = a->tag, head = head_of(tag, a->value->type), by = a->value->words[0], old, next;
	struct cell *c;

	c = bpf_map_lookup_elem(&cells, &tag);
	if (!c) {
		old = told.ref.has_fallback ? told.ref.fallback.words[0] : 0;
		a->error = store_cell(tag, a->value, sum(old, by), a->room, BPF_NOEXIST);
		return a->error != -EEXIST;
	}
	if (READ(c->head) != head) {
		a->error = store_cell(tag, a->value, sum(0, by), a->room, BPF_ANY);
		return 1;
	}
	a->error = -EAGAIN;
	old = READ(c->data[0]);
	next = sum(old, by);
	if (__sync_val_compare_and_swap(&c->data[0], old, next) != old)
		return 0;
	if (READ(c->head) == head) {
		a->error = 0;
		return 1;
	}
	/* The element was reused in this very moment: give back. */
	__sync_fetch_and_add(&c->data[0], old - next);
	return 0;
}

static __always_inline long add_cell(__u64 tag, const struct value *v, union room *room)
{
	struct adding a = { .tag = tag, .value = v, .room = room, .error = -EAGAIN };

	bpf_loop(ADD_TRIES, try_add, &a, 0);
	return a.error;
}

static __always_inline void drop_cell(__u64 tag)
{
	if (told.ref.type == STRING)
		bpf_map_delete_elem(&strings, &tag);
	else
		bpf_map_delete_elem(&cells, &tag);
}

/* Makes the row appear, or swaps an expired one's word. */
static __always_inline long publish(struct row *r, const struct key *k, __u64 word, __u64 next,
				    const struct value *kv, struct text *name, union room *room)
{
	__u32 field = told.ref.field;
	__u64 f[FIELDS / 64];

	if (r) {
#pragma unroll
		for (int w = 0; w < FIELDS / 64; w++)
			f[w] = READ(r->fields[w]);
		note_field(r, field);
		if (__sync_val_compare_and_swap(&r->word, word, next) != word)
			return -EAGAIN;
		remove_cells(generation_of(word), f[0], f[1], f[2], f[3]);
		return 0;
	}
	room->row.row.word = next;
#pragma unroll
	for (__u32 w = 0; w < FIELDS / 64; w++)
		room->row.row.fields[w] = field / 64 == w ? 1ULL << (field & 63) : 0;
	if (told.named) {
		room->row.len = kv->len;
		room->row.pad = 0;
		if (!copy_text(room->row.name, &told.name, name, kv->head))
			return -EAGAIN;
	}
	return update_elem(&rows, k, &room->row, BPF_NOEXIST);
}

static __always_inline void renew(struct row *r, __u64 word, __u64 generation)
{
	__u64 next = generation | end_tick(told.life), seen;

	for (int i = 0; i < TRIES && word != next; i++) {
		seen = __sync_val_compare_and_swap(&r->word, word, next);
		if (seen == word || generation_of(seen) != generation)
			break;
		word = seen;
	}
}

struct sweeping {
	__u64 now;
	__u64 end; /* ns */
	bool removed;
};

/* bpf_for_each_map_elem callback: removes a row that expired. It is time that
 * stops it: of a counter the verifier would follow every step.
 */
static long sweep_row(void *map, const void *key, struct row *r, struct sweeping *s)
{
	__u64 word = READ(r->word), tick = word & TICK_MAX;

	if (tick && tick <= s->now && remove_row(r, key, word))
		s->removed = true;
	return bpf_ktime_get_ns() > s->end;
}

/* Removes rows that expired from a full table, once a tick and no longer than
 * SWEEP_NS; 0 if that gave no room. Not static, as clamp.
 */
noinline int make_room(void)
{
	struct sweeping w = { .now = now_tick(), .end = bpf_ktime_get_ns() + SWEEP_NS };
	__u64 mark = SWEPT_BY_RULE | (w.now + 1), last;
	struct table_state *s;
	__u32 zero = 0;

	s = bpf_map_lookup_elem(&state, &zero);
	if (!s)
		return 0;
	last = READ(s->swept);
	if ((last | SWEPT_BY_RULE) == mark || __sync_val_compare_and_swap(&s->swept, last, mark) != last)
		return 0;
	bpf_for_each_map_elem(&rows, sweep_row, &w, 0);
	return w.removed;
}

/* What the tries to write have in common. */
struct writing {
	struct __sk_buff *skb;
	struct table_state *state;
	long error; /* of the last one */
};

static __always_inline long write_once(struct __sk_buff *skb, struct table_state *s)
{
	struct value kv = {}, v = {};
	struct text *name = NULL;
	__u64 word, generation;
	union room room;
	struct row *r;
	struct key k;
	bool alive;
	long err;

	if (!find_key(skb, told.key, 1, 2, &k, &kv, &name) || !find_value(skb, &v, &room))
		return -ENOENT;
	r = bpf_map_lookup_elem(&rows, &k);
	word = r ? READ(r->word) : 0;
	if (r && !word)
		return -EAGAIN;
	alive = is_alive(word);
	generation = alive ? generation_of(word) : new_generation(s);

	if (told.verb == SET)
		err = store_cell(generation | told.ref.field, &v, v.words[0], &room, BPF_ANY);
	else
		err = add_cell(generation | told.ref.field, &v, &room);
	if (err)
		return err;
	if (alive) {
		note_field(r, told.ref.field);
		renew(r, word, generation);
		return 0;
	}
	err = publish(r, &k, word, generation | end_tick(told.life), &kv, name, &room);
	if (err)
		drop_cell(generation | told.ref.field);
	return err;
}

/* bpf_loop callback: one try to write; again if somebody else was faster. */
static long try_write(__u32 i, struct writing *w)
{
	w->error = write_once(w->skb, w->state);
	return w->error != -EAGAIN && w->error != -EEXIST;
}

SEC("socket")
int write(struct __sk_buff *skb)
{
	struct writing w = { .skb = skb };
	__u32 zero = 0;

	w.state = bpf_map_lookup_elem(&state, &zero);
	if (!w.state)
		return 1;
	bpf_loop(TRIES, try_write, &w, 0);
	/* Not in the callback: there is no stack left there. */
	if (w.error == -E2BIG && make_room())
		bpf_loop(TRIES, try_write, &w, 0);
	if (w.error == -E2BIG)
		__sync_fetch_and_add(&w.state->refused, 1);
	if (w.error)
		return 1;
	if (told.verb == SET)
		changed(w.state);
	else
		counted(w.state);
	return 1;
}

SEC("socket")
int drop(struct __sk_buff *skb)
{
	struct table_state *s;
	struct value v = {};
	__u32 zero = 0;
	struct row *r;
	struct key k;
	__u64 word;

	if (!find_key(skb, told.key, 1, 2, &k, &v, NULL))
		return 1;
	s = bpf_map_lookup_elem(&state, &zero);
	r = bpf_map_lookup_elem(&rows, &k);
	for (int i = 0; s && r && i < TRIES; i++) {
		word = READ(r->word);
		if (!word)
			break;
		if (remove_row(r, &k, word)) {
			changed(s);
			break;
		}
	}
	return 1;
}

#endif
