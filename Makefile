# SPDX-License-Identifier: MIT
#
# `make help` tells what there is. Targets that need root say so; what a
# machine lacks is installed from the distribution (`make deps`).

SHELL := /bin/bash
.DEFAULT_GOAL := help

# sudo drops /usr/local/go/bin from the path; look there too.
GO ?= $(shell command -v go 2>/dev/null || echo /usr/local/go/bin/go)
export PATH := $(dir $(GO)):$(PATH)
export CGO_ENABLED ?= 0

comma := ,
PREFIX ?= /usr/local
BIN := bin
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Programs and the packages that bring them.
DEPS := nft:nftables conntrack:conntrack ip:iproute2 tcpdump:tcpdump dig:bind9-dnsutils \
	curl:curl openssl:openssl ping:iputils-ping ethtool:ethtool radclient:freeradius-utils dnsmasq:dnsmasq-base udhcpc:udhcpc dhcpcd:dhcpcd-base git:git dbus-daemon:dbus-daemon chromium:chromium certutil:libnss3-tools
# Of these tests run servers of their own; what their packages would start stays off.
DEPS_SERVERS := freeradius:freeradius NetworkManager:network-manager

DEPS_GUEST := qemu-system-x86_64:qemu-system-x86 depmod:kmod xz:xz-utils gcc-12:gcc-12 nft:nftables ip:iproute2 dkms:dkms pahole:pahole systemctl:systemd pppd:ppp pppoe-server:pppoe
DEPS_DEBUG := sparse:sparse flex:flex bison:bison bc:bc libelf.h:libelf-dev openssl/ssl.h:libssl-dev

# What `make test` promises its tests: a test that needs one of these fails,
# not skips, when it is absent (internal/need).
PROMISED := root,netns,nft,conntrack,tcpdump,dig,curl,openssl,ping,ethtool,radclient,dnsmasq,udhcpc,dhcpcd,chromium,certutil,freeradius,NetworkManager,nmcli,dbus-daemon,ip,bpf,xtbpf,nfqueue,seccomp,long

FUZZTIME ?= 20s

# The kernels that guests boot: series of Debian's, or "debug".
GUESTS ?= 6.1 6.12
# What is tested there: what speaks to the kernel, and nothing that does not.
GUEST_TESTS ?= ./genl ./kmod/test ./bpfmap ./nftext/rule ./cmd/dictctl ./dictd ./dictd/conntrack ./dictd/queue ./dictd/rules ./e2e
# Of dictctl's tests those in which the module differs, with the last kernel a sample of
# ordinary nft beside its rules, too; with LONG=1 all of them, and all of ordinary nft.
DICTCTL_GUEST_TESTS = $(if $(LONG),.,TestValues|TestSessionRows|TestRuleErrors|TestManual$(if $(filter $*,$(lastword $(GUESTS))),|TestMoved|TestScripts|TestBodyRulesWithCondition))
# Of the maps' tests all with the first kernel, whose verifier is the strictest; with the
# others what programs in rules do to packets.
BPFMAP_GUEST_TESTS = $(if $(LONG),.,$(if $(filter $*,$(firstword $(GUESTS))),.,TestVerified|TestScenes|TestEffects|TestGlobs|TestAdd|TestExpired|TestRowsAreWhole))
# Of what runs the whole, quotas, as the module charges them: one scene for each kind of
# subject, and of the classes that with a filter; and with the last kernel dictd's unit and
# the end of a voucher.
E2E_GUEST_TESTS = $(if $(LONG),TestQuota|TestExample|TestService|TestFlowtable|TestOffloaded|TestPortalWays|TestPortalVolume,TestQuotaToThePacket|TestQuotaGrace|TestFlowtable|TestOffloaded|$(if $(filter $*,$(lastword $(GUESTS))),TestService|TestPortalVolume|)TestQuotaClass/class)
# A package that is not through by then hangs: its tests are asked where, and a
# minute later the guest is killed and its log shown.
GUEST_PATIENCE ?= $(if $(LONG),60m,30m)
# What that run promises its tests.
GUEST_PROMISED := root,netns,nft,flowtable,fakenic,conntrack,tcpdump,dig,curl,openssl,ping,ip,bpf,bpffs,xtbpf,nfqueue,seccomp,kmod,vlan,nft-statements,cls_fw,systemd$(if $(LONG),$(comma)long$(comma)pppoe$(comma)pppd$(comma)pppoe-server)
# The debug kernel knows no types (BTF), so it is for the module alone.
KASAN_TESTS ?= ./genl ./kmod/test ./kmod/torture
KASAN_PROMISED := root,netns,nft,kmod,failslab
# How long each part of the torture lasts: a time, or a number of cases (5000x).
TORTURE ?= 30s
# Where dictctl mounts the file system for maps, and tests of it do: these leave none behind.
PINS := /run/nftdict/bpf
GUEST := $(CURDIR)/$(BIN)/vm exec -built $(CURDIR)/build/kmod

##@ Everyday
.PHONY: help
help: ## show this text
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: deps build $(if $(filter kmod,$(BACKEND)),kmod) ## (root) the main job, with real traffic in namespaces of its own, in under a minute
	@$(if $(filter kmod,$(BACKEND)),$(GUEST) -counted -kernel $(lastword $(GUESTS))) $(BIN)/demo --bin $(BIN) $(if $(BACKEND),--backend $(BACKEND))

.PHONY: test
test: deps deps-guest root ## (root) all checks and tests: units, namespaces, real programs, this kernel, then guests with GUESTS
	@$(call stage,checks of the source)
	@$(MAKE) --no-print-directory lint generated
	@$(call stage,tests on this machine)
	@mountpoint -q $(PINS) || trap 'ls -A $(PINS) 2>/dev/null | grep -q . || umount -q $(PINS) || true' EXIT; \
	NFTDICT_REQUIRE=$(PROMISED) $(GO) test -count=1 -timeout 20m $(TESTFLAGS) ./...
	@$(MAKE) --no-print-directory test-guests
	@$(call stage,all is well)

# $(call stage,TEXT) says what comes now, and when.
stage = printf '\n== %(%H:%M:%S)T %s\n' -1 '$(1)'

.PHONY: test-unit
test-unit: ## the tests that need neither root nor the network
	$(GO) test -short ./...

.PHONY: build
build: check-go ## build dictd, dictctl and the demo into bin/
	@mkdir -p $(BIN)
	$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/...

.PHONY: install
install: build ## (root) install the programs, man pages, unit file and an example configuration
	install -d $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man5 $(DESTDIR)$(PREFIX)/share/man/man7 $(DESTDIR)$(PREFIX)/share/man/man8 $(DESTDIR)/etc/dictd $(DESTDIR)/usr/lib/systemd/system
	install -m 0755 $(BIN)/dictd $(BIN)/dictctl $(DESTDIR)$(PREFIX)/sbin/
	install -m 0644 docs/man/*.5 $(DESTDIR)$(PREFIX)/share/man/man5/
	install -m 0644 docs/man/*.7 $(DESTDIR)$(PREFIX)/share/man/man7/
	install -m 0644 docs/man/*.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	sed 's|@SBIN@|$(PREFIX)/sbin|' cmd/dictd/dictd.service > $(DESTDIR)/usr/lib/systemd/system/dictd.service
	[ -e $(DESTDIR)/etc/dictd/dictd.toml ] || $(BIN)/dictd -print-config > $(DESTDIR)/etc/dictd/dictd.toml

##@ Kernel module and guests
.PHONY: install-kmod
install-kmod: ## (root) install nft_dict.ko for the running kernel, by DKMS where there is one, and load it at boot
	@$(MAKE) --no-print-directory -C kmod $(if $(shell command -v dkms),install-dkms,install)

.PHONY: kernels
kernels: deps-guest $(BIN)/vm ## fetch the kernels that guests boot, with their headers, into a cache (NFTDICT_CACHE)
	@$(BIN)/vm fetch $(GUESTS) || { echo "once more, with the archive's present lists"; apt-get update -q >/dev/null && $(BIN)/vm fetch $(GUESTS); }

.PHONY: kernel-debug
kernel-debug: deps-debug $(BIN)/vm ## build the debug kernel into the cache: a quarter of an hour, once
	@$(BIN)/vm fetch debug

.PHONY: kmod
kmod: kernels ## build nft_dict.ko, and what tests load beside it, for every kernel of GUESTS into build/kmod
	@set -e; for k in $(GUESTS); do $(BIN)/vm build -kernel $$k kmod build/kmod NFT_DICT_TEST=1; done

.PHONY: test-guests
test-guests: kmod build ## run GUEST_TESTS in virtual machines with the kernels of GUESTS, all kernels at once; LONG=1 leaves out nothing
	@$(call stage,guests: the runner itself)
	NFTDICT_REQUIRE=guest,long $(GO) test -timeout 30m -skip 'Debug|FailNth' ./internal/vm
	@$(MAKE) --no-print-directory --keep-going -j$(words $(GUESTS)) $(addprefix test-guest-,$(GUESTS))

# One kernel's turn. Every line says which kernel it is about. Time passes
# unevenly where a processor is emulated, so tests that fail have a second run, and
# the whole package where it did not come to its end or the kernel complained; the
# end names those that needed it.
test-guest-%:
	@printf '\n== %(%H:%M:%S)T guests: kernel %s\n' -1 "$$($(BIN)/vm path $* image)"
	@set -o pipefail; all=$$($(GO) list $(GUEST_TESTS)) || exit 1; failed=; again=; said=build/guest-$*.txt; \
	turn() { \
		run=.; case $$1 in *cmd/dictctl) run='$(DICTCTL_GUEST_TESTS)';; *bpfmap) run='$(BPFMAP_GUEST_TESTS)';; *e2e) run='$(E2E_GUEST_TESTS)';; esac; \
		printf '%(%H:%M:%S)T %s: %s %s...\n' -1 $* $$1 "$${2:+$$2 }"; \
		NFTDICT_BIN=$(CURDIR)/$(BIN) NFTDICT_REQUIRE=$(GUEST_PROMISED) \
			$(GO) test -count=1 -timeout $(GUEST_PATIENCE) -run "$${2:-$$run}" $(TESTFLAGS) -exec "$(GUEST) -kernel $*" $$1 2>&1 | tee $$said | sed 's/^/$*: /'; \
	}; \
	those() { awk '/^(vm: |exit status|panic:|fatal error:)/ {whole = 1} /^--- FAIL: / {names = names "|" $$3} END {if (!whole && names) print "^(" substr(names, 2) ")$$"}' $$said; }; \
	for p in $$all; do \
		turn $$p || { t=$$(those); again="$$again $$p$${t:+ $$t}"; turn $$p "$$t"; } || failed="$$failed $$p"; \
	done; \
	[ -z "$$again" ] || echo "needed a second run in the guest with kernel $*:$$again" >&2; \
	[ -z "$$failed" ] || { echo "failed in the guest with kernel $*:$$failed" >&2; exit 1; }

.PHONY: test-kasan
test-kasan: test-detectors test-debug ## test the module on a kernel with KASAN, lockdep, kmemleak and fault injection: an hour

.PHONY: test-detectors
test-detectors: kernel-debug ## only its first part: each detector of that kernel is tripped, and must tell
	NFTDICT_REQUIRE=debugkernel,long $(GO) test -timeout 90m -count=1 -run 'Debug|FailNth' ./internal/vm

.PHONY: test-debug
test-debug: kernel-debug ## only its second part: the module's suites there, and the torture
	@$(MAKE) --no-print-directory kmod GUESTS=debug
	@set -e; for p in $(KASAN_TESTS); do \
		printf '\n== %(%H:%M:%S)T %s\n' -1 $$p; \
		NFTDICT_REQUIRE=$(KASAN_PROMISED) NFTDICT_TORTURE=$(TORTURE) \
			$(GO) test -timeout 0 -count=1 $(TESTFLAGS) -exec "$(GUEST) -timeout 60m -kernel debug -memory 2048" $$p; \
	done

.PHONY: torture
torture: kernel-debug ## only the torture of test-kasan: make torture TORTURE=5m RUN=Rules, NFTDICT_SEED as it was printed
	@$(MAKE) --no-print-directory kmod GUESTS=debug
	NFTDICT_REQUIRE=$(KASAN_PROMISED) NFTDICT_TORTURE=$(TORTURE) \
		$(GO) test -timeout 0 -count=1 -v $(if $(RUN),-run '$(RUN)') -exec "$(GUEST) -timeout 10h -kernel debug -memory 2048" ./kmod/torture

.PHONY: $(BIN)/vm
$(BIN)/vm: check-go
	@mkdir -p $(BIN)
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o $@ ./internal/vm/cmd/vm

.PHONY: lint-kmod
lint-kmod: kernels kernel-debug ## checkpatch --strict, sparse and all warnings on the module
	@tree=$$($(BIN)/vm path debug headers) && perl $$tree/scripts/checkpatch.pl --no-tree --strict --terse --quiet --show-types --ignore CAMELCASE -f kmod/*.[ch] kmod/probe/*.c kmod/test/fakenic/*.[ch]
	@set -e; for k in $(GUESTS); do \
		out=$$($(BIN)/vm build -kernel $$k kmod build/lint-kmod NFT_DICT_TEST=1 W=1 C=2 2>&1); \
		if echo "$$out" | grep -E 'warning|error'; then exit 1; fi; \
	done

##@ Measuring
.PHONY: bench
bench: deps root ## (root) the figures of docs/performance.md; those of the classifier with CORPUS=DIR
	@$(GO) run ./internal/bench

.PHONY: bench-kmod
bench-kmod: kmod build ## the module's figures of docs/performance.md beside their limits, in instructions of a guest
	@failed=0; NFTDICT_REQUIRE=root,kmod $(GO) test -run '^$$' -bench . -benchtime 1x -timeout 60m -exec \
		"$(GUEST) -kernel $(lastword $(GUESTS)) -counted -host=false -memory 2048 -qemu -cpu -qemu max,-erms" ./kmod/test || failed=1; \
	NFTDICT_BIN=$(CURDIR)/$(BIN) $(GO) run ./internal/bench -exec "$(GUEST) -kernel $(lastword $(GUESTS)) -counted" || failed=1; exit $$failed

.PHONY: accuracy
accuracy: build ## score `dictctl classify` on captures with truth: make accuracy CORPUS=DIR
	@if [ -z "$(CORPUS)" ] || [ ! -d "$(CORPUS)" ]; then echo "accuracy: no corpus; name its folder: make accuracy CORPUS=DIR"; exit 0; fi; \
	out=$$(mktemp) && trap 'rm -f '$$out EXIT && \
	$(BIN)/dictctl classify --csv $(CORPUS)/pcap/* > $$out && python3 $(CORPUS)/score.py $(CORPUS)/truth.csv $$out

.PHONY: captures
captures: root check-go ## (root) record the classifier's captures anew, from real programs: make captures NAMES="openssh redis"
	$(GO) run ./internal/record $(NAMES)

.PHONY: fuzz
fuzz: check-go ## fuzz every parser for FUZZTIME (20s) each
	@set -e; for p in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$p | grep '^Fuzz' || true); do \
			echo "== $$p $$f"; \
			out=$$($(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x $$p 2>&1) || { \
				echo "$$out"; \
				: "the fuzzer's own deadline, met on a busy machine, is no finding"; \
				echo "$$out" | grep -q 'context deadline exceeded' && ! echo "$$out" | grep -q 'Failing input' || exit 1; }; \
			echo "$$out" | tail -n 1; \
		done; \
	done

##@ Source
.PHONY: lint
lint: check-go ## gofmt, vet, staticcheck and the project's own rules (import direction, licences)
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$unformatted" ] || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }
	$(GO) vet ./...
	$(GO) run ./internal/lint
	$(GO) run $(STATICCHECK) ./...

.PHONY: generate
generate: check-go ## rebuild the BPF objects (clang 14) and the man pages; installs clang when it is absent
	@./internal/generate.sh

.PHONY: generated
generated: check-go ## check that what is generated belongs to its sources
	@./internal/generate.sh --check

.PHONY: clean
clean: ## remove what was built
	rm -rf $(BIN) build

##@ Machine
# $(call install,LIST) installs the packages of PROGRAM:PACKAGE pairs whose
# program (or header) is absent.
define install
@missing=""; for d in $(1); do \
	p=$${d%%:*}; command -v $$p >/dev/null 2>&1 || [ -x /usr/sbin/$$p ] || [ -e /usr/include/$$p ] || missing="$$missing $${d##*:}"; \
done; \
if [ -n "$$missing" ]; then \
	echo "installing from the distribution:$$missing"; \
	if [ "$$(id -u)" != 0 ]; then echo "not root: run  sudo apt-get install --no-install-recommends$$missing" >&2; exit 1; fi; \
	command -v apt-get >/dev/null || { echo "no apt-get here: install these by hand:$$missing" >&2; exit 1; }; \
	apt-get update -q >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing >/dev/null; \
fi
endef

# $(call unstarted,PROGRAM:PACKAGE ...) installs servers that nobody starts, now or at
# boot: each is the service of its name.
define unstarted
@for d in $(1); do \
	p=$${d%%:*}; command -v $$p >/dev/null 2>&1 || [ -x /usr/sbin/$$p ] || { \
		policy=/usr/sbin/policy-rc.d; [ -e $$policy ] && policy=; \
		[ -z "$$policy" ] || [ "$$(id -u)" != 0 ] || { printf '#!/bin/sh\nexit 101\n' >$$policy && chmod +x $$policy; }; \
		$(MAKE) --no-print-directory install-unstarted PACKAGES=$$d; rc=$$?; \
		[ -z "$$policy" ] || [ "$$(id -u)" != 0 ] || rm -f $$policy; \
		[ $$rc = 0 ] || exit $$rc; \
		! command -v systemctl >/dev/null || systemctl --quiet disable $$p 2>/dev/null || true; \
	}; \
done
endef

.PHONY: install-unstarted
install-unstarted:
	$(call install,$(PACKAGES))

.PHONY: deps
deps: check-go ## (root) install the programs that tests and demo use, if they are absent
	$(call install,$(DEPS))
	$(call unstarted,$(DEPS_SERVERS))

.PHONY: deps-guest
deps-guest: check-go ## (root) install the emulator and what builds kernel modules, if they are absent
	$(call install,$(DEPS_GUEST))

.PHONY: deps-debug
deps-debug: deps-guest ## (root) install what builds a whole kernel, if it is absent
	$(call install,$(DEPS_DEBUG))

.PHONY: check-go
check-go:
	@command -v $(GO) >/dev/null || { echo "no Go here: unpack go1.26 from https://go.dev/dl/ to /usr/local/go (Debian's own is too old)" >&2; exit 1; }

.PHONY: root
root:
	@[ "$$(id -u)" = 0 ] || { echo "this target makes network namespaces and loads BPF: run it with sudo" >&2; exit 1; }
