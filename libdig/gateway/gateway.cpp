// A request comes from anybody, and is taken apart in this order: the host, the method, the target, the
// state, the path.  The first one that is wrong is answered.  What goes wrong is an exception from where
// it is noticed, and its type says which status it becomes.
//
// Paths are compared with what is stored, byte by byte; ".." is a name that nothing can have.
#include "libdig/gateway/gateway.h"

#include <algorithm>

#include "libdig/base/path.h"
#include "libdig/fetch/url.h"
#include "libdig/format/urn.h"
#include "libdig/gateway/media_type.h"
#include "libdig/gateway/served_history.h"
#include "libdig/gateway/url_query.h"
#include "libdig/os/clock.h"
#include "libdig/store/chunk_reader.h"

namespace dig {

constexpr std::size_t most_states_kept = 1024;
constexpr std::size_t most_entries = 1000, most_states = 100; // of a page
constexpr std::size_t most_link_steps = 64;

// What the request is answered with instead.
class Refusal : public Error {
public:
	Refusal(int status, const std::string &message) : Error(message), http_(status) {}
	int http() const { return http_; }

private:
	int http_;
};

struct Gateway::Query {
	explicit Query(std::string_view text, std::string_view accept)
		: format(query_value(text, "format").value_or("")), before(query_value(text, "before").value_or("")),
		  after(query_value(text, "after").value_or(""))
	{
		is_json = format == "json" || (format.empty() && accept.find("application/json") != accept.npos &&
			accept.find("text/html") == accept.npos);
	}

	std::string format, before, after;
	bool is_json;
};

HttpAnswer plain_answer(int status, const std::string &text)
{
	HttpAnswer answer;
	answer.status = status;
	answer.text = text + '\n';
	answer.set("Content-Type", "text/plain; charset=utf-8");
	answer.set("Cache-Control", "no-cache");
	return answer;
}

Gateway::Gateway(Store &store, KeptNodes &nodes) : store_(store), manifests_(nodes) {}

// --- what is named --------------------------------------------------------------------------

Gateway::State Gateway::state_of(std::uint64_t generation, const Digest &root)
{
	{
		std::lock_guard guard(mutex_);
		if (const auto found = states_.find(root); found != states_.end())
			return found->second;
	}
	State state{generation, root, store_.manifest(generation)};
	std::lock_guard guard(mutex_);
	if (states_.size() >= most_states_kept)
		states_.clear();
	states_.emplace(root, state);
	return state;
}

Gateway::State Gateway::state(const std::string &name)
{
	if (const std::optional<Digest> root = parse_digest(name)) {
		std::lock_guard guard(mutex_);
		if (const auto found = states_.find(*root); found != states_.end())
			return found->second;
	}
	RootName found;
	try {
		found = store_.resolve(name);
	} catch (const CorruptError &) {
		throw;
	} catch (const Error &error) {
		throw Refusal(http_status::not_found, std::string(error.what()) + "; / lists the states");
	}
	return state_of(found.generation, found.root);
}

static std::string decoded(std::string_view text)
{
	std::optional<std::string> bytes = percent_decoded(text);
	if (!bytes)
		throw Refusal(http_status::bad_request, "in the path, '%' is not followed by two hexadecimal digits, or by 00");
	return std::move(*bytes);
}

Gateway::Named Gateway::named(std::string_view target)
{
	Named named;
	named.has_slash = target.ends_with('/');
	if (looks_like_urn(target.substr(1)))
		return urn(target);
	const std::size_t slash = std::min(target.find('/', 1), target.size());
	named.shown_state = decoded(target.substr(1, slash - 1));
	named.state = state(named.shown_state);
	named.is_permanent = parse_digest(named.shown_state).has_value();
	if (slash < target.size())
		named.path = decoded(target.substr(slash + 1));
	if (named.path.ends_with('/'))
		named.path.pop_back();
	if (named.path.empty())
		return named;
	if (const std::string_view problem = path_problem(named.path); !problem.empty())
		throw Refusal(http_status::bad_request, quote(named.path) + " is no path that can be stored: " +
			std::string(problem));
	return named;
}

Gateway::Named Gateway::urn(std::string_view target)
{
	Named named;
	named.has_slash = target.ends_with('/');
	Urn urn;
	try {
		urn = parse_urn(target.substr(1, target.size() - 1 - named.has_slash));
	} catch (const Error &error) {
		throw Refusal(http_status::bad_request, error.what());
	}
	if (urn.store_id != store_.id())
		throw Refusal(http_status::not_found, "the URN is of the store " + to_hex(urn.store_id) + ", and this is " +
			to_hex(store_.id()));
	const std::string state = urn.root ? to_hex(*urn.root) : "HEAD";
	named.shown_state = state;
	named.state = this->state(state);
	named.is_permanent = urn.root.has_value();
	named.path = urn.path;
	return named;
}

// --- what is answered -----------------------------------------------------------------------

static void set_validity(HttpAnswer &answer, bool is_permanent)
{
	answer.set("Cache-Control", is_permanent ? "public, max-age=31536000, immutable" : "no-cache");
}

// The conditions of the request; true if the answer is complete.
static bool judged(const HttpRequest &request, const ContentTag &tag, HttpAnswer &answer)
{
	switch (judge(request.conditions, tag)) {
	case Verdict::proceed: return false;
	case Verdict::not_modified: answer.status = http_status::not_modified; break;
	case Verdict::failed:
		answer.status = http_status::failed_condition;
		answer.text = "the content is not what If-Match or If-Unmodified-Since names\n";
		answer.set("Content-Type", "text/plain; charset=utf-8");
	}
	return true;
}

HttpAnswer Gateway::content(const HttpRequest &request, const Named &named, Entry entry)
{
	HttpAnswer answer;
	const std::string etag = '"' + to_hex(entry.file_root()) + '"';
	ContentTag tag{etag, {}};
	answer.set("ETag", etag);
	if (entry.mtime_ns)
		if (std::string date = http_date(seconds_of(*entry.mtime_ns)); !date.empty()) {
			tag.modified = seconds_of(*entry.mtime_ns);
			answer.set("Last-Modified", std::move(date));
		}
	set_validity(answer, named.is_permanent);
	if (judged(request, tag, answer)) {
		if (answer.status == http_status::not_modified) {
			answer.extent = {0, entry.size};
			answer.entry = std::move(entry);
		}
		return answer;
	}
	answer.set("Accept-Ranges", "bytes");
	const RangeWish wish = wished_range(request.conditions, tag, entry.size);
	const std::string size = std::to_string(entry.size);
	if (wish.kind == RangeWish::Kind::unsatisfiable) {
		answer.status = http_status::bad_range;
		answer.set("Content-Range", "bytes */" + size);
		answer.set("Content-Type", "text/plain; charset=utf-8");
		answer.text = "one range within the " + size + " bytes can be had at a time\n";
		return answer;
	}
	answer.extent = wish.extent;
	if (wish.kind == RangeWish::Kind::part) {
		answer.status = http_status::partial;
		answer.set("Content-Range", "bytes " + std::to_string(wish.extent.offset) + '-' +
			std::to_string(wish.extent.offset + wish.extent.size - 1) + '/' + size);
	}
	const std::string_view type = entry.kind == EntryKind::symlink ? "inode/symlink" : media_type(entry.path);
	answer.set("Content-Type", std::string(type));
	answer.entry = std::move(entry);
	return answer;
}

static HttpAnswer redirect(std::string location, bool is_permanent)
{
	HttpAnswer answer = plain_answer(http_status::moved, "it is at " + location);
	answer.fields.clear();
	answer.set("Content-Type", "text/plain; charset=utf-8");
	answer.set("Location", std::move(location));
	set_validity(answer, is_permanent);
	return answer;
}

// To the same target with '/' behind it, which links in the page are relative to.
static HttpAnswer redirect_to_directory(const HttpRequest &request, bool is_permanent)
{
	const std::size_t end = std::min(request.target.find('?'), request.target.size());
	return redirect(std::string(request.target.substr(0, end)) + '/' + std::string(request.target.substr(end)),
		is_permanent);
}

DirectoryPage Gateway::directory_page(const Named &named, const std::string &after)
{
	const std::string below = named.path.empty() ? "" : named.path + '/';
	DirectoryPage page{named.shown_state, named.state.generation, named.state.root, below, {}, {}};
	// Behind a directory is what is behind all that is in it ('0' follows '/'); behind a file what is
	// longer by any byte, and no path has a NUL.
	const auto behind = [](std::string name) {
		if (name.ends_with('/'))
			name.back() = '0';
		else
			name += '\0';
		return name;
	};
	std::string at = after.empty() ? below : below + behind(after);
	while (const std::optional<ManifestSeek::Place> place = manifests_.seek(named.state.manifest, at)) {
		const std::string_view path = place->path();
		if (!path.starts_with(below))
			break;
		if (page.entries.size() == most_entries) {
			page.after = page.entries.back().name;
			break;
		}
		const std::size_t slash = path.find('/', below.size());
		ShownEntry &entry = page.entries.emplace_back();
		entry.name = path.substr(below.size(), slash == path.npos ? slash : slash + 1 - below.size());
		if (slash == path.npos) {
			entry.entry = place->entry();
			if (entry.entry->kind == EntryKind::empty_directory)
				entry.name += '/';
		}
		at = below + behind(entry.name);
		if (slash == path.npos)
			at = std::string(path) + '\0';
	}
	return page;
}

HttpAnswer Gateway::directory(const HttpRequest &request, const Named &named, const Query &query)
{
	HttpAnswer answer;
	// The target is the same, and what else the page depends on is in the tag.
	const std::string etag = '"' + to_hex(named.state.root) + (query.is_json ? "-json\"" : "-html\"");
	answer.set("ETag", etag);
	answer.set("Vary", "Accept");
	set_validity(answer, named.is_permanent);
	if (judged(request, {etag, {}}, answer))
		return answer;
	const DirectoryPage page = directory_page(named, query.after);
	answer.set("Content-Type", query.is_json ? "application/json" : "text/html; charset=utf-8");
	answer.text = query.is_json ? directory_json(page) : directory_html(page);
	return answer;
}

HttpAnswer Gateway::states(const HttpRequest &, const Query &query)
{
	StatesPage page;
	page.store_id = store_.id();
	const RootHistory roots = store_.roots();
	std::uint64_t generation = roots.size();
	if (!query.before.empty()) {
		const bool is_number = query.before.size() < 19 &&
			query.before.find_first_not_of("0123456789") == std::string::npos;
		if (!is_number)
			throw Refusal(http_status::bad_request, "behind 'before=' there must be the number of a state");
		generation = std::min<std::uint64_t>(generation, std::max<std::uint64_t>(std::stoull(query.before), 1) - 1);
	}
	for (; generation > 0 && page.states.size() < most_states; generation--) {
		ShownState &shown = page.states.emplace_back();
		shown.generation = generation;
		shown.root = roots.at(generation).root;
		shown.is_dropped = store_.layer_table()->is_dropped(generation);
		try {
			shown.state = store_.state(generation);
		} catch (const CorruptError &) {
			// It is shown as damaged.
		}
	}
	page.before = generation > 0 ? generation + 1 : 0;
	HttpAnswer answer;
	answer.set("Content-Type", query.is_json ? "application/json" : "text/html; charset=utf-8");
	answer.set("Vary", "Accept");
	set_validity(answer, false);
	answer.text = query.is_json ? states_json(page) : states_html(page);
	return answer;
}

// --- links ----------------------------------------------------------------------------------

// The path that a link at a path leads to, with rest behind it.  Nothing if that is outside of the state.
static std::optional<std::string> link_target(const std::string &path, std::string_view text, const std::string &rest)
{
	if (text.empty() || text.front() == '/' || text.find('\0') != text.npos)
		return {};
	const std::size_t slash = path.rfind('/');
	try {
		std::string target = normalised_path(text, slash == path.npos ? "" : path.substr(0, slash), "/");
		if (!rest.empty())
			target += target.empty() ? rest : '/' + rest;
		return target;
	} catch (const Error &) {
		return {};
	}
}

// To what the link names, if that is in the state; else it is its own content.
HttpAnswer Gateway::followed_link(const HttpRequest &request, const Named &named, const Entry &entry,
	const std::string &rest, const Query &query)
{
	std::string text;
	ChunkSequence sequence(store_, entry, {0, entry.size});
	while (const std::optional<ContentChunk> chunk = sequence.next())
		text += text_of(store_.read_item(ItemKind::chunk, chunk->id));
	const std::optional<std::string> target = link_target(entry.path, text, rest);
	const bool is_there = target && *target != named.path &&
		(target->empty() || manifests_.find(named.state.manifest, *target) || !rest.empty() ||
			manifests_.is_directory(named.state.manifest, *target));
	if (!is_there) {
		if (rest.empty())
			return content(request, named, entry);
		throw Refusal(http_status::not_found, quote(entry.path) + " is a symbolic link to " + quote(text) +
			", which is not in this state");
	}
	const std::string_view raw = request.target;
	const std::size_t slash = raw.find('/', 1);
	std::string location(raw.substr(0, slash));
	location += '/' + percent_encoded(*target, "/");
	if (named.has_slash && !target->empty())
		location += '/';
	if (query.is_json)
		location += "?format=json";
	return redirect(std::move(location), named.is_permanent);
}

// Nothing has this path; perhaps a part of it is a link.
HttpAnswer Gateway::missing(const HttpRequest &request, const Named &named, const Query &query)
{
	std::size_t slash = named.path.find('/');
	for (std::size_t step = 0; slash != named.path.npos && step < most_link_steps; step++) {
		const std::string above = named.path.substr(0, slash);
		if (const std::optional<Entry> entry = manifests_.find(named.state.manifest, above)) {
			if (entry->kind == EntryKind::symlink)
				return followed_link(request, named, *entry, named.path.substr(slash + 1), query);
			break;
		}
		slash = named.path.find('/', slash + 1);
	}
	throw Refusal(http_status::not_found, quote(named.path) + " is not in the state " + quote(named.shown_state));
}

// --- answering ------------------------------------------------------------------------------

static std::int64_t seconds_now() { return seconds_of(now_ns()); }

// A commit, a gc or a repack is seen at once.  Damage may be healed any time, and a store that was opened
// remembers which layers could not be read.
void Gateway::follow_store()
{
	if (damaged_s_ >= reloaded_s_ && reloaded_s_ < seconds_now()) {
		reloaded_s_ = seconds_now();
		store_.reload();
	} else if (!store_.refresh()) {
		return;
	}
	if (changed_)
		changed_();
	std::lock_guard guard(mutex_);
	states_.clear();
}

HttpAnswer Gateway::answer_target(const HttpRequest &request)
{
	const std::size_t question = std::min(request.target.find('?'), request.target.size());
	const std::string_view target = request.target.substr(0, question);
	const std::string_view asked = question < request.target.size() ? request.target.substr(question + 1) : "";
	const Query query(asked, request.accept);
	if (!target.starts_with('/'))
		throw Refusal(http_status::bad_request, "the target is no path");
	follow_store();
	if (target == "/")
		return states(request, query);
	if (std::optional<HttpAnswer> answer = served_history(store_, target))
		return *std::move(answer);
	const Named named = this->named(target);
	if (const std::optional<std::string> wish = wished_proof(asked))
		return served_proof(store_, named.state.generation, named.path, *wish);
	if (named.path.empty())
		return named.has_slash ? directory(request, named, query) : redirect_to_directory(request, named.is_permanent);
	if (std::optional<Entry> entry = manifests_.find(named.state.manifest, named.path);
		entry && entry->kind != EntryKind::empty_directory) {
		if (!entry->is_known_kind())
			throw Refusal(http_status::not_found, quote(named.path) + " is of a kind that this dig does not know");
		if (entry->kind == EntryKind::symlink && query.format != "link")
			return followed_link(request, named, *entry, "", query);
		if (named.has_slash)
			throw Refusal(http_status::not_found, quote(named.path) + " is a file; ask for it without '/' at the end");
		return content(request, named, std::move(*entry));
	}
	if (!manifests_.is_directory(named.state.manifest, named.path))
		return missing(request, named, query);
	return named.has_slash ? directory(request, named, query) : redirect_to_directory(request, named.is_permanent);
}

// "[::1]:80" and "localhost:80" without the port, in lower case.
static std::string host_of(std::string_view field)
{
	const std::size_t colon = field.rfind(':');
	if (colon != field.npos && field.find(']', colon) == field.npos &&
		field.find_first_not_of("0123456789", colon + 1) == field.npos)
		field = field.substr(0, colon);
	std::string host(field);
	std::transform(host.begin(), host.end(), host.begin(),
		[](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
	return host;
}

void Gateway::allow_hosts(const std::vector<std::string> &hosts)
{
	for (const std::string &host : hosts)
		hosts_.push_back(host_of(host));
}

bool Gateway::is_host_allowed(const HttpRequest &request) const
{
	return hosts_.empty() || !request.host ||
		std::find(hosts_.begin(), hosts_.end(), host_of(*request.host)) != hosts_.end();
}

HttpAnswer Gateway::failure(const HttpRequest &request, const std::exception &error)
{
	if (const auto *refusal = dynamic_cast<const Refusal *>(&error))
		return plain_answer(refusal->http(), refusal->what());
	if (dynamic_cast<const DroppedState *>(&error))
		return plain_answer(http_status::gone, error.what());
	const auto *known = dynamic_cast<const Error *>(&error);
	if (dynamic_cast<const Interrupted *>(&error) || !known)
		return plain_answer(http_status::unavailable, "there is no memory for this now, or the server ends");
	if (tell_)
		tell_(quote(request.target.substr(0, 300)) + ": " + error.what());
	const bool is_damage = known->status() == exit_status::corrupt;
	damaged_s_ = seconds_now();
	return plain_answer(is_damage ? http_status::damaged : http_status::unavailable,
		is_damage ? "this is damaged in the store; 'dig check' tells more" : "the store cannot be read now");
}

// "http://HOST/PATH", as it is sent to proxies, means the same as "/PATH".
static HttpRequest with_path(HttpRequest request)
{
	constexpr std::string_view scheme = "http://";
	if (request.target.starts_with(scheme))
		if (const std::size_t slash = request.target.find('/', scheme.size()); slash != request.target.npos)
			request.target.remove_prefix(slash);
	return request;
}

HttpAnswer Gateway::answer(const HttpRequest &asked)
{
	const HttpRequest request = with_path(asked);
	HttpAnswer answer;
	if (!is_host_allowed(request)) {
		answer = plain_answer(http_status::misdirected,
			"this server has another name; to give it one, see --host in dig-serve(1)");
	} else if (request.method != "GET" && request.method != "HEAD") {
		answer = plain_answer(http_status::bad_method, "only GET and HEAD are answered: nothing can be changed here");
		answer.set("Allow", "GET, HEAD");
	} else {
		try {
			answer = answer_target(request);
		} catch (const std::exception &error) {
			answer = failure(request, error);
		}
	}
	return answer;
}

} // namespace dig
