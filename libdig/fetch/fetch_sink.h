// Who takes an object that is fetched: first what is known of it, then its bytes in order.
#ifndef DIG_FETCH_SINK_H
#define DIG_FETCH_SINK_H

#include "libdig/base/bytes.h"
#include "libdig/fetch/fetch_protocol.h"

namespace dig {

class FetchSink {
public:
	virtual ~FetchSink() = default;

	// Once, before the first byte.
	virtual void begin(const FetchedObject &object) = 0;
	virtual void take(Bytes bytes) = 0;
};

} // namespace dig

#endif
