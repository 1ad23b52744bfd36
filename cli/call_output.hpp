#pragma once

#include <gemel/pkpd/genotype_call.hpp>

#include <iosfwd>
#include <memory>

/// Calls on their way out, one after the other.
namespace gemel::cli {

class CallWriter {
public:
    virtual ~CallWriter() = default;
    virtual void add(const std::string& subject,
                     const pkpd::GeneTable& gene,
                     const pkpd::GenotypeCall& call) = 0;
    virtual void finish() {}
};

/// A table that can be read back as genotypes of a study.
std::unique_ptr<CallWriter> csv_calls(std::ostream& out);
std::unique_ptr<CallWriter> json_calls(std::ostream& out);
/// For reading: the most probable diplotypes alone.
std::unique_ptr<CallWriter> text_calls(std::ostream& out);

} // namespace gemel::cli
