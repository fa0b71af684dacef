# The only makefile.  "make" needs no configure: config.mak, if there is one, only overrides
# what stands here.
#
#	make [-jN] [V=1]                         tools and test helpers, into build/
#	make check                               everything, then the test suite
#	make O=asan SANITIZE=address,undefined   a second tree, beside build/
#	make install prefix=/usr DESTDIR=...
#	make deps | tests | demo | perf-check | clean
#
# Directories are the lists: a new plumbing/X.cpp is built as dig-X and installed without a
# change here.

srcdir ?= .
O = build
prefix = /usr/local
exec_prefix = $(prefix)
bindir = $(exec_prefix)/bin
libexecdir = $(exec_prefix)/libexec
datarootdir = $(prefix)/share
datadir = $(datarootdir)
mandir = $(datarootdir)/man
docdir = $(datarootdir)/doc/dig

CXXFLAGS = -O2 -g1
CRYPTOPP_LIBS = -lcryptopp
ZLIB_LIBS = -lz
ZSTD_LIBS = -lzstd
URING_LIBS = -luring
CURL_LIBS = -lcurl
BOOST_LIBS = -lboost_program_options -lboost_filesystem
BOOST_TEST_LIBS = -lboost_unit_test_framework
# A static tool starts two to three times as fast as a dynamic one.
STATIC = -static-pie
INSTALL = install

-include config.mak

# Tools that speak HTTP carry libcurl, which stays dynamic.
network = dig-fetch-url

# --- flags ------------------------------------------------------------------------------------

VERSION := $(strip $(file <$(srcdir)/VERSION))
optimised := $(filter -O1 -O2 -O3 -Os,$(CXXFLAGS))
# libstdc++'s assertions cost in the inner loops of chunking and hashing (every span access), so
# that only the sanitized trees carry them.
ifdef SANITIZE
hardening := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer \
	-D_GLIBCXX_ASSERTIONS
STATIC :=
else
hardening := $(if $(optimised),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2) -fstack-protector-strong
endif

cxxflags := -std=c++20 -Wall -Wextra $(CXXFLAGS) $(hardening) -fPIE -pthread
cppflags := -I$(srcdir) -DBOOST_TEST_DYN_LINK= $(CPPFLAGS)
ldflags := $(if $(SANITIZE),-fsanitize=$(SANITIZE)) -Wl,-z,relro,-z,now -Wl,--as-needed \
	-Wl,--gc-sections $(LDFLAGS)
ldlibs := $(BOOST_LIBS) $(CRYPTOPP_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS) $(URING_LIBS) -lpthread
names := -DDIG_VERSION='"$(VERSION)"' -DDIG_EXEC_PATH='"$(libexecdir)/dig"'

# The stamps change when the flags do, and everything depends on them.  They are written while
# make reads this file: a rule that always ran would make "make -n" call everything out of date.
define stamp
ifneq ($$(strip $(2)),$$(file <$O/$(1)))
$$(shell mkdir -p $O)
$$(file >$O/$(1),$$(strip $(2)))
endif
endef
flags := $(CXX) $(cxxflags) $(cppflags) | $(ldflags) $(STATIC) $(ldlibs) $(CURL_LIBS)
# What only copies leaves a tree as it is, whatever it was built with.
ifneq ($(MAKECMDGOALS),install-built)
$(eval $(call stamp,flags,$$(flags)))
$(eval $(call stamp,names,$$(names)))
endif

# --- what there is ----------------------------------------------------------------------------

sources = $(wildcard $(srcdir)/$(1)/*.cpp)
object = $(patsubst $(srcdir)/%.cpp,$O/%.o,$(call sources,$(1)))

lib := $(call object,libdig/*)
plumbing := $(patsubst $O/plumbing/%.o,$O/dig-%,$(call object,plumbing))
dispatcher := $(patsubst $O/porcelain/%.o,$O/%,$(filter %/dig.o,$(call object,porcelain)))
porcelain := $(patsubst $O/porcelain/%.o,$O/dig-%,$(filter-out %/dig.o,$(call object,porcelain)))
helpers := $(patsubst $O/t/helper/%.o,$O/helper/%,$(call object,t/helper))
unit := $(call object,t/unit)
objects := $(lib) $(foreach directory,plumbing porcelain t/helper t/unit,$(call object,$(directory)))

# Only these know their version or where they are installed; another prefix recompiles no more.
named := $(shell grep -lE 'DIG_(VERSION|EXEC_PATH)' /dev/null \
	$(foreach directory,libdig/* plumbing porcelain,$(call sources,$(directory))))
named_objects := $(named:$(srcdir)/%.cpp=$O/%.o)

# --- rules ------------------------------------------------------------------------------------

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
.PHONY: all tests check perf-check deps demo install install-built clean

all: $(plumbing) $(porcelain) $(dispatcher) $(helpers) $O/commands
tests: all $O/unit

quiet = $(if $(V),,@echo '  $(1) $(@:$O/%=%)';)
is_network = $(filter $(network),$(@F))
link = $(CXX) $(cxxflags) $(ldflags) $(if $(is_network),-pie,$(or $(STATIC),-pie)) -o $@ \
	$(filter %.o %.a,$^) $(if $(is_network),$(CURL_LIBS)) $(ldlibs)

$(objects): $O/%.o: $(srcdir)/%.cpp $O/flags
	$(call quiet,CXX )mkdir -p $(@D) && $(CXX) $(cxxflags) $(cppflags) \
		$(if $(filter $(<:./%=%),$(named:./%=%)),$(names)) -MMD -MP -c -o $@ $<

$(named_objects): $O/names

$O/libdig.a: $(lib)
	$(call quiet,AR  )rm -f $@ && $(AR) rcs $@ $^

$(plumbing): $O/dig-%: $O/plumbing/%.o $O/libdig.a
	$(call quiet,LINK)$(link)

$(porcelain): $O/dig-%: $O/porcelain/%.o $O/libdig.a
	$(call quiet,LINK)$(link)

$(dispatcher): $O/%: $O/porcelain/%.o $O/libdig.a
	$(call quiet,LINK)$(link)

$(helpers): $O/helper/%: $O/t/helper/%.o $O/libdig.a
	$(call quiet,LINK)mkdir -p $(@D) && $(link)

$O/unit: $(unit) $O/libdig.a
	$(call quiet,LINK)$(CXX) $(cxxflags) $(ldflags) -pie -o $@ $^ $(BOOST_TEST_LIBS) $(ldlibs)

# What "dig" lists: category, name, and the line that its page says of it.
page = $(wildcard $(patsubst %,$(srcdir)/Documentation/dig-%.1,$(basename $(notdir $(wildcard $(srcdir)/$(1)/*)))))
$O/commands: $(call page,porcelain) $(call page,plumbing) $(srcdir)/Makefile
	$(call quiet,LIST)for category in porcelain plumbing; do \
		for page in $(srcdir)/Documentation/dig-*.1; do \
			name=$${page##*/dig-} && name=$${name%.1} && \
			if test -e $(srcdir)/$$category/$$name.cpp; then \
				sed -n "s/^\.Nd /$$category	$$name	/p" $$page; \
			fi; \
		done; \
	done >$@

-include $(objects:.o=.d)

# --- the rest ---------------------------------------------------------------------------------

deps:
	@sh $(srcdir)/install-deps

# A submake, so that what deps installs is there before anything compiles.
build = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

check: deps
	@+$(build) tests
	@cd $(srcdir)/t && DIG_BUILD='$(abspath $O)' CXX='$(CXX)' prove -j2 -e sh t[0-9]*.sh

demo: deps
	@+$(build) all
	@DIG_BUILD='$(abspath $O)' $(srcdir)/perf/demo

perf-check: deps
	@+$(build) all
	@DIG_BUILD='$(abspath $O)' $(srcdir)/perf/check

pages = $(wildcard $(srcdir)/Documentation/*.$(1))
papers = $(filter-out %.1 %.5 %.7,$(wildcard $(srcdir)/Documentation/* $(addprefix $(srcdir)/,\
	README.md NEWS.md COPYING)))
put = $(if $(wildcard $(3)),$(INSTALL) -d '$(DESTDIR)$(2)' && \
	$(INSTALL) -m $(1) $(wildcard $(3)) '$(DESTDIR)$(2)$(4)')

install: all
	@$(MAKE) --no-print-directory install-built

install-built:
	$(call put,755,$(bindir),$(dispatcher))
	$(call put,755,$(libexecdir)/dig,$(plumbing) $(porcelain))
	$(call put,644,$(libexecdir)/dig,$O/commands)
	$(call put,644,$(mandir)/man1,$(call pages,1))
	$(call put,644,$(mandir)/man5,$(call pages,5))
	$(call put,644,$(mandir)/man7,$(call pages,7))
	$(call put,644,$(docdir),$(papers))
	$(call put,644,$(datadir)/bash-completion/completions,$(srcdir)/completion/dig.bash,/dig)
	$(call put,644,$(datadir)/zsh/site-functions,$(srcdir)/completion/dig.zsh,/_dig)
	$(call put,644,$(datadir)/fish/vendor_completions.d,$(srcdir)/completion/dig.fish)

clean:
	rm -rf $O
