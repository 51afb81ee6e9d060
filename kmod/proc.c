// SPDX-License-Identifier: GPL-2.0-only
/* The files of the text interface, /proc/net/dict. */
#include <linux/capability.h>
#include <linux/proc_fs.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "proc.h"

/* Most bytes of one write, and so of a line. */
#define NFT_DICT_WRITE_BYTES	4096

/* Limit of a table that comes to be with its first row. */
#define NFT_DICT_OPEN_LIMIT	65536

/* The state of an open file. */
struct nft_dict_file {
	struct mutex		mutex; /* threads may share the file */
	struct nft_dict_reader	*reader;
	bool			selected; /* there is something to be read */
};

/* Find the table of a line; where there is none and @make says so it comes to be. */
static struct nft_dict_table *nft_dict_line_table(struct nft_dict_net *dn,
						  const struct nft_dict_line *line, bool make)
{
	const char *name = line->table[0] ? line->table : NFT_DICT_PROC_TABLE;
	struct nft_dict_table *t = nft_dict_table_find(dn, name);
	int err;

	lockdep_assert_held(&dn->mutex);

	if (t)
		return t;
	if (!make)
		return ERR_PTR(-ENOENT);
	t = nft_dict_table_new(dn, name, nft_dict_line_key_type(line), NFT_DICT_OPEN_LIMIT, 0,
			       NFT_DICT_TABLE_OPEN);
	if (IS_ERR(t))
		return t;
	err = nft_dict_table_add(t);
	if (!err)
		return t;
	nft_dict_table_put(t);
	return ERR_PTR(err);
}

/* Make the value of a line one of the table's field. */
static int nft_dict_line_value(const struct nft_dict_line *line, struct nft_dict_table *t,
			       struct nft_dict_value *v, s64 *wide)
{
	int i = nft_dict_open(t) ? nft_dict_field_open(t, line->field) :
				   nft_dict_field_index(t, line->field);

	if (i < 0)
		return nft_dict_open(t) ? i : -ENOENT;
	v->field = i;
	v->type = line->value.type;
	v->len = line->value.len;
	v->data = line->value.bytes;
	if (!nft_dict_open(t) && nft_dict_value_fit(v, t->fields[i]->type, wide))
		return -EINVAL;
	return 0;
}

static int nft_dict_line_bind(struct nft_dict_table *t, u32 id)
{
	struct nft_dict_wanted *w = nft_dict_wanted_new(1);

	if (!w)
		return -ENOMEM;
	nft_dict_wanted_add(t, w, id);
	nft_dict_wanted_bind(t, w);
	kvfree(w);
	return 0;
}

static int nft_dict_line_put(const struct nft_dict_line *line, struct nft_dict_table *t)
{
	union nft_dict_any_key any NFT_DICT_UNINITIALIZED;
	struct nft_dict_put *put;
	s64 wide;
	int err;

	err = nft_dict_line_key(line, t, &any.key);
	if (err)
		return err;
	if (nft_dict_open(t)) {
		err = nft_dict_row_room(t, &any.key);
		if (err)
			return err;
	}
	put = kmalloc(sizeof(*put), GFP_KERNEL);
	if (!put)
		return -ENOMEM;
	put->count = 1;
	put->ttl = 0;
	err = nft_dict_line_value(line, t, &put->value[0], &wide);
	if (!err && nft_dict_bound(t))
		err = nft_dict_line_bind(t, any.key.data[0]);
	if (!err)
		err = nft_dict_row_put(t, &any.key, put);
	kfree(put);
	return err;
}

static int nft_dict_line_write(struct nft_dict_net *dn, const struct nft_dict_line *line)
{
	u32 last_id = dn->last_id;
	struct nft_dict_table *t;
	int err;

	if (!line->key.type || !line->field[0] || !line->value.type)
		return -EINVAL;
	t = nft_dict_line_table(dn, line, true);
	if (IS_ERR(t))
		return PTR_ERR(t);
	err = nft_dict_line_put(line, t);
	/* What is refused leaves no table either. */
	if (err && t->id > last_id)
		nft_dict_table_delete(t);
	return err;
}

static int nft_dict_line_delete(struct nft_dict_net *dn, const struct nft_dict_line *line)
{
	union nft_dict_any_key any NFT_DICT_UNINITIALIZED;
	struct nft_dict_table *t;
	struct nft_dict_put *put;
	int i, err;

	if (line->value.type || (line->field[0] && !line->key.type) ||
	    (!line->table[0] && !line->key.type))
		return -EINVAL;
	t = nft_dict_line_table(dn, line, false);
	if (IS_ERR(t))
		return PTR_ERR(t);
	if (!line->key.type)
		return nft_dict_table_delete(t);
	err = nft_dict_line_key(line, t, &any.key);
	if (err)
		return err;
	put = kzalloc(sizeof(*put), GFP_KERNEL);
	if (!put)
		return -ENOMEM;
	if (line->field[0]) {
		i = nft_dict_field_index(t, line->field);
		if (i < 0) {
			kfree(put);
			return -ENOENT;
		}
		put->value[0].field = i;
		put->count = 1;
	}
	err = nft_dict_row_delete(t, &any.key, put);
	kfree(put);
	return err == -ENODATA ? -ENOENT : err;
}

/*
 * Do something with each line of a write. What comes before a line that is
 * refused has been done, and is what was written; the error comes with the next
 * write, which begins with that line.
 */
static ssize_t nft_dict_lines(struct nft_dict_net *dn, const char __user *from, size_t count,
			      int (*f)(struct nft_dict_net *dn, const struct nft_dict_line *line))
{
	size_t n = min_t(size_t, count, NFT_DICT_WRITE_BYTES), done = 0;
	struct nft_dict_line *line;
	char *text, *end;
	int err = 0;

	text = memdup_user_nul(from, n);
	if (IS_ERR(text))
		return PTR_ERR(text);
	line = kmalloc(sizeof(*line), GFP_KERNEL);
	if (!line) {
		kfree(text);
		return -ENOMEM;
	}
	while (done < n) {
		char *start = text + done;
		size_t len;

		end = memchr(start, '\n', n - done);
		len = end ? end - start : n - done;
		if (!end && n < count) {
			/* The line goes on: it has to begin the next write. */
			err = -EINVAL;
			break;
		}
		start[len] = '\0';
		if (strlen(start) != len) {
			err = -EINVAL;
			break;
		}
		if (len) {
			err = nft_dict_line_parse(line, start);
			if (!err) {
				mutex_lock(&dn->mutex);
				err = f(dn, line);
				mutex_unlock(&dn->mutex);
			}
			if (err)
				break;
		}
		done += len + !!end;
	}
	kfree(line);
	kfree(text);
	return done ? done : err;
}

static struct nft_dict_net *nft_dict_file_net(const struct file *file)
{
	return pde_data(file_inode(file));
}

static ssize_t nft_dict_proc_write(struct file *file, const char __user *from, size_t count,
				   loff_t *pos)
{
	return nft_dict_lines(nft_dict_file_net(file), from, count, nft_dict_line_write);
}

static ssize_t nft_dict_proc_delete(struct file *file, const char __user *from, size_t count,
				    loff_t *pos)
{
	return nft_dict_lines(nft_dict_file_net(file), from, count, nft_dict_line_delete);
}

/* A selector: one line. */
static ssize_t nft_dict_proc_select(struct file *file, const char __user *from, size_t count,
				    loff_t *pos)
{
	struct nft_dict_file *f = file->private_data;
	struct nft_dict_line *line;
	char *text;
	int err;

	if (count > NFT_DICT_WRITE_BYTES)
		return -EINVAL;
	text = memdup_user_nul(from, count);
	if (IS_ERR(text))
		return PTR_ERR(text);
	line = kmalloc(sizeof(*line), GFP_KERNEL);
	err = -ENOMEM;
	if (!line)
		goto out;
	err = -EINVAL;
	if (strlen(text) != count)
		goto out;
	if (count && text[count - 1] == '\n')
		text[count - 1] = '\0';
	err = nft_dict_line_parse(line, text);
	if (err)
		goto out;
	mutex_lock(&f->mutex);
	err = nft_dict_reader_select(f->reader, line);
	if (!err)
		f->selected = true;
	mutex_unlock(&f->mutex);
out:
	kfree(line);
	kfree(text);
	return err ? err : count;
}

static ssize_t nft_dict_proc_read(struct file *file, char __user *to, size_t count, loff_t *pos)
{
	struct nft_dict_file *f = file->private_data;
	ssize_t n = -EINVAL;

	mutex_lock(&f->mutex);
	if (f->selected)
		n = nft_dict_reader_read(f->reader, to, count);
	mutex_unlock(&f->mutex);
	return n;
}

/* To the start and nowhere else. */
static loff_t nft_dict_proc_lseek(struct file *file, loff_t offset, int whence)
{
	struct nft_dict_file *f = file->private_data;

	if (offset || whence != SEEK_SET)
		return -EINVAL;
	mutex_lock(&f->mutex);
	nft_dict_reader_rewind(f->reader);
	mutex_unlock(&f->mutex);
	return 0;
}

/*
 * Whether a file may be opened. Then it keeps the namespace, as all below
 * /proc/net do: else one that goes would wait for who reads or writes, and that
 * may be for ever where their memory is not to be had.
 */
static int nft_dict_proc_enter(const struct nft_dict_net *dn)
{
	if (!ns_capable(dn->net->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	return maybe_get_net(dn->net) ? 0 : -ENXIO;
}

static int nft_dict_proc_open(struct inode *inode, struct file *file)
{
	int err = nft_dict_proc_enter(pde_data(inode));

	return err ? err : nonseekable_open(inode, file);
}

static int nft_dict_proc_release(struct inode *inode, struct file *file)
{
	struct nft_dict_net *dn = pde_data(inode);

	put_net(dn->net);
	return 0;
}

static int nft_dict_proc_open_reader(struct inode *inode, struct file *file, bool all)
{
	struct nft_dict_net *dn = pde_data(inode);
	struct nft_dict_file *f;
	int err;

	err = nft_dict_proc_enter(dn);
	if (err)
		return err;
	err = -ENOMEM;
	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		goto err_net;
	f->reader = nft_dict_reader_new(dn);
	if (!f->reader)
		goto err_free;
	mutex_init(&f->mutex);
	f->selected = all;
	file->private_data = f;
	return 0;

err_free:
	kfree(f);
err_net:
	put_net(dn->net);
	return err;
}

static int nft_dict_proc_open_all(struct inode *inode, struct file *file)
{
	return nft_dict_proc_open_reader(inode, file, true);
}

static int nft_dict_proc_open_read(struct inode *inode, struct file *file)
{
	return nft_dict_proc_open_reader(inode, file, false);
}

static int nft_dict_proc_release_reader(struct inode *inode, struct file *file)
{
	struct nft_dict_file *f = file->private_data;

	nft_dict_reader_free(f->reader);
	kfree(f);
	return nft_dict_proc_release(inode, file);
}

static const struct proc_ops nft_dict_all_ops = {
	.proc_open	= nft_dict_proc_open_all,
	.proc_read	= nft_dict_proc_read,
	.proc_lseek	= nft_dict_proc_lseek,
	.proc_release	= nft_dict_proc_release_reader,
};

static const struct proc_ops nft_dict_read_ops = {
	.proc_open	= nft_dict_proc_open_read,
	.proc_read	= nft_dict_proc_read,
	.proc_write	= nft_dict_proc_select,
	.proc_lseek	= nft_dict_proc_lseek,
	.proc_release	= nft_dict_proc_release_reader,
};

static const struct proc_ops nft_dict_write_ops = {
	.proc_open	= nft_dict_proc_open,
	.proc_write	= nft_dict_proc_write,
	.proc_lseek	= noop_llseek,
	.proc_release	= nft_dict_proc_release,
};

static const struct proc_ops nft_dict_delete_ops = {
	.proc_open	= nft_dict_proc_open,
	.proc_write	= nft_dict_proc_delete,
	.proc_lseek	= noop_llseek,
	.proc_release	= nft_dict_proc_release,
};

static int nft_dict_proc_add(struct nft_dict_net *dn, const char *name,
			     const struct proc_ops *ops)
{
	kuid_t uid = make_kuid(dn->net->user_ns, 0);
	kgid_t gid = make_kgid(dn->net->user_ns, 0);
	struct proc_dir_entry *entry;

	entry = proc_create_data(name, 0600, dn->proc, ops, dn);
	if (!entry)
		return -ENOMEM;
	if (uid_valid(uid) && gid_valid(gid))
		proc_set_user(entry, uid, gid);
	return 0;
}

/* nft_dict_proc_init - make the files of a namespace. */
int nft_dict_proc_init(struct nft_dict_net *dn)
{
	if (!IS_ENABLED(CONFIG_PROC_FS))
		return 0;
	dn->proc = proc_mkdir("dict", dn->net->proc_net);
	if (!dn->proc)
		return -ENOMEM;
	if (!nft_dict_proc_add(dn, "all", &nft_dict_all_ops) &&
	    !nft_dict_proc_add(dn, "read", &nft_dict_read_ops) &&
	    !nft_dict_proc_add(dn, "write", &nft_dict_write_ops) &&
	    !nft_dict_proc_add(dn, "delete", &nft_dict_delete_ops))
		return 0;
	proc_remove(dn->proc);
	return -ENOMEM;
}

/* nft_dict_proc_exit - remove them. Only where the module goes, and not the
 * namespace, may files be open: they are closed.
 */
void nft_dict_proc_exit(struct nft_dict_net *dn)
{
	proc_remove(dn->proc);
}
