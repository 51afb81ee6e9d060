// SPDX-License-Identifier: GPL-2.0-only
/*
 * Trips one detector of the kernel each time it is loaded: the positive
 * controls of the guests. Loading fails with ECANCELED when all is done, so
 * that it can be loaded again. Without anything to trip it stays, until it is
 * removed or, once its parameter hold was written, for ever.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

static char *trip = "";
module_param(trip, charp, 0);
MODULE_PARM_DESC(trip, "the detector to trip");

static int set_hold(const char *val, const struct kernel_param *kp)
{
	__module_get(THIS_MODULE);
	return 0;
}

static const struct kernel_param_ops hold_ops = { .set = set_hold };
module_param_cb(hold, &hold_ops, NULL, 0200);
MODULE_PARM_DESC(hold, "write anything to keep the module for ever");

static DEFINE_MUTEX(lock_a);
static DEFINE_MUTEX(lock_b);
static DEFINE_SPINLOCK(spin);
static int __rcu *shared;

static void trip_warning(void)
{
	WARN(1, "control: a warning\n");
}

static void trip_oops(void)
{
	WRITE_ONCE(*(int *)0x10, 1);
}

static void trip_atomic(void)
{
	spin_lock(&spin);
	msleep(20);
	spin_unlock(&spin);
}

static void trip_lockdep(void)
{
	mutex_lock(&lock_a);
	mutex_lock(&lock_b);
	mutex_unlock(&lock_b);
	mutex_unlock(&lock_a);
	mutex_lock(&lock_b);
	mutex_lock(&lock_a);
	mutex_unlock(&lock_a);
	mutex_unlock(&lock_b);
}

static void trip_rcu(void)
{
	int *p = rcu_dereference(shared);

	if (p)
		pr_info("control: %d\n", *p);
}

static void trip_use_after_free(void)
{
	int *p = kmalloc(64, GFP_KERNEL);

	if (!p)
		return;
	kfree(p);
	pr_info("control: %d\n", READ_ONCE(p[3]));
}

static void trip_out_of_bounds(void)
{
	char *p = kmalloc(24, GFP_KERNEL);
	int past = 24;

	if (!p)
		return;
	OPTIMIZER_HIDE_VAR(past);
	WRITE_ONCE(p[past], 1);
	kfree(p);
}

static void trip_leak(void)
{
	int i;

	/* Many, for a register or a stack may still hold one. */
	for (i = 0; i < 50; i++) {
		void *p = kmalloc(200, GFP_KERNEL);

		OPTIMIZER_HIDE_VAR(p);
	}
}

static void trip_stall(void)
{
	unsigned long end;

	/* A grace period must be under way for a processor to hold it up. */
	preempt_disable();
	start_poll_synchronize_rcu();
	end = jiffies + 8 * HZ;
	while (time_before(jiffies, end))
		cpu_relax();
	preempt_enable();
}

static const struct {
	const char *name;
	void (*fn)(void);
} controls[] = {
	{ "warning", trip_warning },
	{ "oops", trip_oops },
	{ "atomic", trip_atomic },
	{ "lockdep", trip_lockdep },
	{ "rcu", trip_rcu },
	{ "use-after-free", trip_use_after_free },
	{ "out-of-bounds", trip_out_of_bounds },
	{ "leak", trip_leak },
	{ "stall", trip_stall },
};

static int __init control_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(controls); i++) {
		if (!strcmp(trip, controls[i].name)) {
			controls[i].fn();
			return -ECANCELED;
		}
	}
	return strcmp(trip, "") ? -EINVAL : 0;
}

static void __exit control_exit(void)
{
}

module_init(control_init);
module_exit(control_exit);
MODULE_DESCRIPTION("positive controls of the guests' detectors");
MODULE_LICENSE("GPL");
