#include "endpoints/stored_endpoint.hpp"

#include <algorithm>
#include <limits>

namespace gemel::scenarios {

namespace {

/// The attribute that an endpoint's value has, and what stands beside it has not.
const std::string* call_of(const io::Variable& variable) {
    if (!variable.path.starts_with("endpoints/")) return nullptr;
    for (const auto& [name, text] : variable.attributes)
        if (name == "endpoint") return &text;
    return nullptr;
}

class EndpointReader {
public:
    explicit EndpointReader(const io::ResultReader& file) : file_(file), all_(file.variables()) {}

    std::vector<StoredEndpoint> read() const {
        std::vector<StoredEndpoint> endpoints;
        for (const io::Variable& variable : all_)
            if (const std::string* call = call_of(variable))
                endpoints.push_back(endpoint(variable, *call));
        return endpoints;
    }

private:
    StoredEndpoint endpoint(const io::Variable& variable, const std::string& call) const {
        StoredEndpoint result{variable, {}, call, {}, {""}, {}};
        result.name = variable.path.substr(variable.path.rfind('/') + 1);
        if (variable.axes.size() > 1) {
            const io::Axis axis = file_.axis(variable.axes[1]);
            result.by = axis.long_name;
            result.strata = axis.labels;
        }
        const std::size_t n = result.strata.size();
        for (std::size_t arm = 0; arm < file_.axis("arm").labels.size(); ++arm) {
            const auto get = [&](const char* suffix) {
                return numbers(variable.path + suffix, arm, n);
            };
            result.arms.push_back({get(""),
                                   get("_mcse"),
                                   get("_lower"),
                                   get("_upper"),
                                   get("_n"),
                                   get("_n_missing")});
        }
        return result;
    }

    std::vector<double> numbers(const std::string& path, std::size_t arm, std::size_t n) const {
        const bool is_there = std::any_of(
            all_.begin(), all_.end(), [&](const io::Variable& v) { return v.path == path; });
        if (!is_there) return std::vector<double>(n, std::numeric_limits<double>::quiet_NaN());
        return file_.reals(path, static_cast<int>(arm), 0, n);
    }

    const io::ResultReader& file_;
    std::vector<io::Variable> all_;
};

} // namespace

std::vector<StoredEndpoint> stored_endpoints(const io::ResultReader& file) {
    return EndpointReader(file).read();
}

} // namespace gemel::scenarios
