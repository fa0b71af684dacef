# The only makefile.  "make" needs no configure: config.mak, if there is one, only overrides
# what stands here.
#
#	make help                 this text
#	make [-jN] [V=1]          tools and test helpers, into build/
#	make build/dig-chunk      one tool, linked alone
#	make tests                what "make check" runs, and does not run it
#	make check                everything, then the test suite
#	make check TESTS='t11* t34*'
#	make check-arm64          builds for arm64, too, and runs that by qemu-user (t/README)
#	make deps                 installs what is needed (Debian)
#	make deps-remote          servers, too, that tests of remotes start; without, these are skipped
#	make demo                 the main job on real input
#	make perf-check           speed and memory against perf/targets
#	make install              prefix=/usr DESTDIR=...; as it is built: make install-built
#	make install-debug        what a debugger needs besides
#	make uninstall            removes both
#	make coverage             the suite in a tree of its own; lines that were run, by module
#	make tidy                 clang-tidy and cppcheck
#	make fuzz [FUZZ_SECONDS=N]
#	                          mutated bytes for each parser, with clang if it is there
#	make compile_commands.json
#	make clean
#	make O=asan SANITIZE=address,undefined check     another tree, beside build/
#	make O=clang CXX=clang++                         the same with another compiler
#
# Directories are the lists: a new plumbing/X.cpp is built as dig-X and installed without a
# change here.

srcdir ?= .
O = build
prefix = /usr/local
exec_prefix = $(prefix)
bindir = $(exec_prefix)/bin
libdir = $(exec_prefix)/lib
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
CURL_LIBS = $(if $(wildcard /usr/include/curl/curl.h /usr/include/*/curl/curl.h),-lcurl)
MHD_LIBS = $(if $(wildcard /usr/include/microhttpd.h /usr/include/*/microhttpd.h),-lmicrohttpd)
BOOST_LIBS = -lboost_program_options -lboost_filesystem
BOOST_TEST_LIBS = -lboost_unit_test_framework
# A static program starts two to three times as fast as a dynamic one.
STATIC = -static-pie
INSTALL = install
STRIP = strip
OBJCOPY = objcopy
GCOV = $(if $(findstring clang,$(CXX)),llvm-cov gcov,gcov)
TESTS = t[0-9]*
READELF = readelf

-include config.mak

# Tools that speak HTTP carry libcurl, which stays dynamic.  Each is a program of its own with
# libdig/network, and is left out where CURL_LIBS is empty.
network = fetch-url remote-http remote-s3
# The same with libmicrohttpd, libdig/server and MHD_LIBS.
server = serve
# These are small programs of their own, to be carried to where there is no dig.
apart = verify-proof

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

# Each line that runs is counted, in files beside the objects; t/coverage sees to the counts of
# processes that end otherwise than by exit.
ifdef COVERAGE
hardening := --coverage
counting := --coverage -Wl,--wrap=raise,--wrap=_exit,--wrap=execvp
endif

cxxflags := -std=c++20 -Wall -Wextra $(CXXFLAGS) $(hardening) -fPIE -pthread
libfuzzer := $(if $(filter fuzzer-no-link%,$(SANITIZE)),fuzzer)
cppflags := -I$(srcdir) -DBOOST_TEST_DYN_LINK= $(libfuzzer:%=-DDIG_LIBFUZZER) $(CPPFLAGS)
ldflags := $(if $(SANITIZE),-fsanitize=$(SANITIZE)) $(counting) -Wl,-z,relro,-z,now -Wl,--build-id -Wl,--as-needed \
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
flags := $(CXX) $(cxxflags) $(cppflags) | $(ldflags) $(STATIC) $(ldlibs) $(CURL_LIBS) $(MHD_LIBS)
# --- what there is ----------------------------------------------------------------------------

sources = $(wildcard $(srcdir)/$(1)/*.cpp)
object = $(patsubst $(srcdir)/%.cpp,$O/%.o,$(call sources,$(1)))

connected := $(call object,libdig/network)
listening := $(call object,libdig/server)
lib := $(filter-out $(connected) $(listening),$(call object,libdig/*)) $(if $(COVERAGE),$(call object,t/coverage))
in_network := $(filter $(network:%=$O/plumbing/%.o),$(call object,plumbing))
in_server := $(filter $(server:%=$O/porcelain/%.o),$(call object,porcelain))
main := $O/porcelain/dig.o
tools := $(filter-out $(main) $(in_network) $(in_server),$(call object,plumbing) $(call object,porcelain))
helpers := $(patsubst $O/t/helper/%.o,$O/helper/%,$(call object,t/helper))
unit := $(call object,t/unit)
fuzz := $(call object,t/fuzz)
objects := $(lib) $(connected) $(listening) $(foreach directory,plumbing porcelain t/helper t/unit t/fuzz,$(call object,$(directory)))

# Only these know their version or where they are installed; another prefix recompiles no more.
named := $(shell grep -lE 'DIG_(VERSION|EXEC_PATH)' /dev/null \
	$(foreach directory,libdig/* plumbing porcelain,$(call sources,$(directory))))
named_objects := $(named:$(srcdir)/%.cpp=$O/%.o)

# All tools are one program, and each is a link to it (porcelain/dig.cpp has the reason).  A tool
# that is asked for by name, as in "make build/dig-chunk", is linked alone: no other tool has to
# compile for it.
object_of = $(filter %/$(1).o,$(tools) $(in_network) $(in_server))
program = $(patsubst %.o,$O/dig-%,$(notdir $(1)))
carried := $(apart:%=$O/dig-%)
alone := $(sort $(filter $(MAKECMDGOALS),$(call program,$(tools))) $(carried)) \
	$(if $(strip $(CURL_LIBS)),$(call program,$(in_network))) $(if $(strip $(MHD_LIBS)),$(call program,$(in_server)))
links := $(filter-out $(alone),$(call program,$(tools)))
entry = dig_$(subst -,_,$(1))_main
tools.inc := $(foreach tool,$(basename $(notdir $(tools))),TOOL("$(tool)", $(call entry,$(tool))))

# What builds nothing leaves a tree as it is, whatever it was built with.
ifneq ($(filter-out help deps deps-remote clean coverage install-built install-debug uninstall,$(or $(MAKECMDGOALS),all)),)
$(eval $(call stamp,flags,$$(flags)))
$(eval $(call stamp,names,$$(names)))
$(eval $(call stamp,tools.inc,$$(tools.inc)))
endif

# --- rules ------------------------------------------------------------------------------------

.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules
.SECONDEXPANSION:
.PHONY: all tests check check-arm64 perf-check deps deps-remote demo install install-built install-debug uninstall clean \
	help coverage fuzz tidy compile_commands.json

all: $O/dig $(links) $(alone) $(helpers) $O/commands
tests: all $O/unit $O/fuzz

comma := ,
quiet = $(if $(V),,@echo '  $(1) $(@:$O/%=%)';)
# The libraries of a tool that is dynamic.
dynamic_libs = $(if $(filter $(in_network),$^),$(CURL_LIBS)) $(if $(filter $(in_server),$^),$(MHD_LIBS))
# For a tool that is linked alone, and has no main() of its own.
calling_main = int $(1)(int, char **); int main(int n, char **words) { return $(1)(n, words); }
# Removed first: a linker may write into the file that is there, and so into all links to it.
link = rm -f $@ && $(1) $(CXX) $(cxxflags) $(ldflags) $(if $(strip $(dynamic_libs)),-pie,$(or $(STATIC),-pie)) \
	-o $@ $(filter %.o,$^) $(filter %.a,$^) $(dynamic_libs) $(ldlibs)

$(objects): $O/%.o: $(srcdir)/%.cpp $O/flags
	$(call quiet,CXX )mkdir -p $(@D) && $(CXX) $(cxxflags) $(cppflags) \
		$(if $(filter $(<:./%=%),$(named:./%=%)),$(names)) -MMD -MP -c -o $@ $<

$(named_objects): $O/names
$(main): $O/tools.inc
$(main): cppflags += -I$O

$O/libdig.a: $(lib)
	$(call quiet,AR  )rm -f $@ && $(AR) rcs $@ $^

$O/dig: $(main) $(tools) $O/libdig.a
	$(call quiet,LINK)$(link)

$(links): $O/dig
	$(if $(V),,@)ln -f $< $@ 2>/dev/null || ln -sf $(<F) $@

$(alone): $O/dig-%: $$(call object_of,$$*) $$(if $$(filter $$*,$(network)),$(connected)) \
	$$(if $$(filter $$*,$(server)),$(listening)) $O/libdig.a
	$(call quiet,LINK)$(call link,echo '$(call calling_main,$(call entry,$*))' |) -x c++ -

$(helpers): $O/helper/%: $O/t/helper/%.o $O/libdig.a
	$(call quiet,LINK)mkdir -p $(@D) && $(link)

# All tools again, with another heap.
$O/helper/counted-dig: $(main) $(tools)
$O/helper/counted-dig: private ldflags += $(patsubst %,-Wl$(comma)--wrap=%,\
	malloc calloc realloc aligned_alloc posix_memalign)

$O/unit: $(unit) $O/libdig.a
	$(call quiet,LINK)$(CXX) $(cxxflags) $(ldflags) -pie -o $@ $^ $(BOOST_TEST_LIBS) $(ldlibs)

# SANITIZE=fuzzer-no-link,...: libFuzzer has the main(), and leads.
$O/fuzz: $(fuzz) $O/libdig.a
	$(call quiet,LINK)$(CXX) $(cxxflags) $(ldflags) -pie $(libfuzzer:%=-fsanitize=%) -o $@ $^ $(ldlibs)

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

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' $(srcdir)/Makefile

deps:
	@sh $(srcdir)/install-deps

deps-remote: deps
	@sh $(srcdir)/install-deps --remote

# A submake, so that what deps installs is there before anything compiles.
build = $(MAKE) --no-print-directory $(if $(filter -j%,$(MAKEFLAGS)),,-j$(shell nproc))

check: deps $(filter deps-remote,$(MAKECMDGOALS))
	@+$(build) tests
	@cd $(srcdir)/t && DIG_BUILD='$(abspath $O)' CXX='$(CXX)' prove -j2 -e sh $(patsubst %.sh.sh,%.sh,$(TESTS:=.sh))

# The tools of this machine are what those for arm64 are compared with.
arm64 = aarch64-linux-gnu-
check-arm64:
	@sh $(srcdir)/t/need-arm64.sh
	@sh $(srcdir)/install-deps
	@+$(build) all
	@+$(build) O=$O/arm64 CXX=$(arm64)g++ AR=$(arm64)ar CURL_LIBS= MHD_LIBS= all $O/arm64/unit
	@cd $(srcdir)/t && DIG_BUILD='$(abspath $O)' DIG_TEST_ARM64='$(abspath $O/arm64)' prove -v -e sh t0008-arm64.sh

# A tree of its own, with all tests run in it again.  A test that fails is told and does not stop
# this: the table is of what has run.
coverage: deps
	@+$(build) O=coverage COVERAGE=yes CXXFLAGS=-O1 STATIC= tests
	@find coverage -name '*.gcda' -delete
	@-cd $(srcdir)/t && DIG_BUILD='$(abspath coverage)' CXX='$(CXX)' prove -Q -j2 -e sh $(patsubst %.sh.sh,%.sh,$(TESTS:=.sh))
	@GCOV='$(GCOV)' sh $(srcdir)/t/coverage-table.sh coverage

# FUZZ_SECONDS for each parser of bytes that nobody has checked.
FUZZ_SECONDS = 600
fuzz:
	@cd $(srcdir) && t/fuzz/run --seconds=$(FUZZ_SECONDS)

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
# Copied once more behind strip: what strip writes lies in memory in small pieces, which costs each
# start a sixth until the file is read from storage again.
put_program = $(INSTALL) -d '$(DESTDIR)$(1)' && cd '$(DESTDIR)$(1)' && \
	$(STRIP) -o .$(notdir $(2)).new '$(abspath $(2))' && \
	$(INSTALL) -m 755 .$(notdir $(2)).new $(notdir $(2)) && rm .$(notdir $(2)).new
tooldir = $(libexecdir)/dig
# As git does with its builtins: hard links, and symbolic ones for a package, which may not have
# the others, and where the file system has none.
names_of_program := $(filter-out $(notdir $(carried)),$(sort $(notdir $(call program,$(tools)))))
link_tools = cd '$(DESTDIR)$(tooldir)' && for tool in $(names_of_program); do \
		$(if $(DESTDIR),,ln -f '$(bindir)/dig' $$tool 2>/dev/null ||) \
		ln -srf '$(DESTDIR)$(bindir)/dig' $$tool || exit; \
	done

install: all
	@$(MAKE) --no-print-directory install-built

install-built:
	$(call put_program,$(bindir),$O/dig)
	$(INSTALL) -d '$(DESTDIR)$(tooldir)'
	$(link_tools)
	$(foreach tool,$(filter $(call program,$(in_network) $(in_server)) $(carried),$(alone)),$(call put_program,$(tooldir),$(tool)) &&) :
	$(call put,644,$(tooldir),$O/commands)
	$(call put,644,$(mandir)/man1,$(call pages,1))
	$(call put,644,$(mandir)/man5,$(call pages,5))
	$(call put,644,$(mandir)/man7,$(call pages,7))
	$(call put,644,$(docdir),$(papers))
	$(call put,644,$(datadir)/bash-completion/completions,$(srcdir)/completion/dig.bash,/dig)
	$(call put,644,$(datadir)/zsh/site-functions,$(srcdir)/completion/dig.zsh,/_dig)
	$(call put,644,$(datadir)/fish/vendor_completions.d,$(srcdir)/completion/dig.fish)

# Names and line numbers for debuggers, which look for them by the id of the program.
debugdir = $(libdir)/debug/.build-id
debug_file = id=$$($(READELF) -n $(1) 2>/dev/null | sed -n 's/^ *Build ID: //p') && test -n "$$id" && \
	rest=$${id\#??} && file='$(DESTDIR)$(debugdir)'/$${id%$$rest}/$$rest.debug

install-debug:
	$(call debug_file,$O/dig) && $(INSTALL) -d "$${file%/*}" && \
	$(OBJCOPY) --only-keep-debug $O/dig "$$file" && chmod 644 "$$file"

take = @cd '$(DESTDIR)$(1)' 2>/dev/null && rm -f $(notdir $(2)) || :
# Directories that are empty then go, too, up to the prefix; in those of the system only ours do.
shared := $(if $(DESTDIR),,$(filter /usr /usr/local,$(prefix)))
from_prefix = $(subst $(prefix)/,,$(1))
ours = '$(call from_prefix,$(tooldir))' '$(call from_prefix,$(docdir))' $(call from_prefix,$(debugdir))/??
others = $(foreach place,$(bindir) $(mandir)/man1 $(mandir)/man5 $(mandir)/man7 \
	$(datadir)/bash-completion/completions $(datadir)/zsh/site-functions \
	$(datadir)/fish/vendor_completions.d,'$(call from_prefix,$(place))')

uninstall:
	@$(call debug_file,'$(DESTDIR)$(bindir)/dig') 2>/dev/null && rm -f "$$file" || :
	$(call take,$(bindir),dig)
	$(call take,$(tooldir),$(names_of_program) $(call program,$(in_network) $(in_server)) $(carried) commands)
	$(call take,$(mandir)/man1,$(call pages,1))
	$(call take,$(mandir)/man5,$(call pages,5))
	$(call take,$(mandir)/man7,$(call pages,7))
	$(call take,$(docdir),$(papers))
	$(call take,$(datadir)/bash-completion/completions,dig)
	$(call take,$(datadir)/zsh/site-functions,_dig)
	$(call take,$(datadir)/fish/vendor_completions.d,dig.fish)
	@cd '$(DESTDIR)$(prefix)' 2>/dev/null && rmdir $(if $(shared),,-p) $(ours) $(if $(shared),,$(others)) \
		2>/dev/null || :
	@$(if $(shared),:,cd '$(DESTDIR)/' && rmdir $(if $(DESTDIR),-p) '.$(prefix)' 2>/dev/null || :)

# For editors and clang-tidy, which find it at the top of the source.
database := $(srcdir)/compile_commands.json
compiled = $(CXX) $(cxxflags) $(cppflags) -I$O $(names) -c -o $(1) $(1:$O/%.o=$(srcdir)/%.cpp)
compile_commands.json: $O/tools.inc
	$(file >$(database).new) $(foreach object,$(objects),$(file >>$(database).new,{"directory": "$(CURDIR)",\
		"file": "$(object:$O/%.o=$(srcdir)/%.cpp)", "command": "$(subst ",\",$(call compiled,$(object)))"}))
	@{ echo '['; sed '/./!d; $$!s/$$/,/' $(database).new; echo ']'; } >$(database) && rm $(database).new

# What .clang-tidy asks for, and what cppcheck finds; either is left out where it is not installed.
checked = $(foreach directory,libdig/* plumbing porcelain,$(call sources,$(directory)))
tidy: compile_commands.json
	@if command -v clang-tidy >/dev/null; then \
		printf '%s\n' $(checked) | xargs -n 4 -P $(shell nproc) clang-tidy --quiet -p $(srcdir); \
	else echo 'tidy: there is no clang-tidy' >&2; fi
	@if command -v cppcheck >/dev/null; then \
		cppcheck --quiet --std=c++20 --language=c++ -j $(shell nproc) -I$(srcdir) -I$O $(names) \
			--enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
			--suppressions-list=$(srcdir)/.cppcheck $(checked); \
	else echo 'tidy: there is no cppcheck' >&2; fi

clean:
	rm -rf $O
