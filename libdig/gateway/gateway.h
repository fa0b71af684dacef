// Answers requests of HTTP from a store, and changes nothing in it.
//
//     /                            the states, newest first
//     /STATE/                      what is in a state: HEAD, HEAD~n, @n, a root or the first digits of one
//     /STATE/PATH                  the content at a path, or what is in a directory
//     /checkpoint, /tile/..., ?proof  served_history.h
//     /urn:dig:chia:ID[:ROOT]/PATH the same by its long name
//
// What has the full root in its name never changes, and may be kept for good.  All else follows the
// store, also while it is being changed.
#ifndef DIG_GATEWAY_H
#define DIG_GATEWAY_H

#include <atomic>
#include <functional>

#include "libdig/gateway/http_exchange.h"
#include "libdig/gateway/listing_page.h"
#include "libdig/gateway/manifest_seek.h"

namespace dig {

// Any thread may call.
class Gateway {
public:
	Gateway(Store &store, KeptNodes &nodes);

	// Whoever asks for another host than these is refused.  Without a call, any will do.
	void allow_hosts(const std::vector<std::string> &hosts);
	// Gets what is wrong with the store; perhaps from several threads at once.
	void on_damage(std::function<void(const std::string &)> tell) { tell_ = std::move(tell); }

	// Called when the store has changed.
	void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

	HttpAnswer answer(const HttpRequest &asked);
	// For a failure while content is read.
	HttpAnswer failure(const HttpRequest &request, const std::exception &error);
	Store &store() { return store_; }

private:
	struct State {
		std::uint64_t generation = 0;
		Digest root;
		TreeRoot manifest{Digest()};
	};
	// What a target names: a state, and a path in it.
	struct Named {
		std::string shown_state; // as it was asked for
		State state;
		bool is_permanent = false;
		std::string path;     // without '/' at its end
		bool has_slash = false; // there was one
	};
	struct Query;

	void follow_store();
	HttpAnswer answer_target(const HttpRequest &request);
	HttpAnswer states(const HttpRequest &request, const Query &query);
	Named named(std::string_view target);
	Named urn(std::string_view target);
	State state(const std::string &name);
	State state_of(std::uint64_t generation, const Digest &root);
	HttpAnswer content(const HttpRequest &request, const Named &named, Entry entry);
	HttpAnswer directory(const HttpRequest &request, const Named &named, const Query &query);
	DirectoryPage directory_page(const Named &named, const std::string &after);
	HttpAnswer followed_link(const HttpRequest &request, const Named &named, const Entry &entry,
		const std::string &rest, const Query &query);
	HttpAnswer missing(const HttpRequest &request, const Named &named, const Query &query);
	bool is_host_allowed(const HttpRequest &request) const;

	Store &store_;
	ManifestSeek manifests_;
	std::vector<std::string> hosts_;
	std::function<void(const std::string &)> tell_;
	std::function<void()> changed_;
	std::atomic<std::int64_t> damaged_s_ = -1, reloaded_s_ = 0; // when damage was found, and the store looked at anew
	std::mutex mutex_;
	std::unordered_map<Digest, State, DigestHash> states_; // by root
};

} // namespace dig

#endif
