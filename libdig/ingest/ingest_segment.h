// Reads a segment of a large file, or of a stream, into its room.  For ingest*.cpp alone.
#ifndef DIG_INGEST_SEGMENT_H
#define DIG_INGEST_SEGMENT_H

#include "libdig/ingest/ingest_unit.h"

namespace dig {

class Ingest::Segments {
public:
	// The clock is that of the worker.
	Segments(Shared &shared, StepClock &clock) : shared_(shared), clock_(clock) {}

	// Without the mutex.  The bytes that were read; what fails is in the outcome of the job.
	std::size_t read_file(Claim &claim);
	// Until the segment is full, a checkpoint is due, or the stream ends: then the claim is the last.
	std::size_t read_stream(Claim &claim);
	// No further segments of the job are handed out.  Under the mutex.
	void end_claims(Job &job);

private:
	std::size_t read_past_cache(const Claim &claim);
	std::size_t read_some_stream(Claim &claim);
	void end_early(Claim &claim);
	void give_up(Job &job, const std::string &error, bool has_changed);

	Shared &shared_;
	StepClock &clock_;
};

} // namespace dig

#endif
