#include <gemel/scenarios/advice.hpp>

#include <fmt/format.h>

#include <cmath>

/// Advice as a program reads it.
namespace gemel::scenarios {

namespace {

std::string quoted(const std::string& text) {
    std::string json = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            json += '\\';
            json += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            json += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            json += c;
        }
    }
    return json + "\"";
}

/// Objects and arrays, one member a line.
class JsonWriter {
public:
    void begin(char bracket) {
        text_ += bracket;
        closing_ += bracket == '{' ? '}' : ']';
        is_first_ = true;
    }
    void end() {
        const char bracket = closing_.back();
        closing_.pop_back();
        if (!is_first_) new_line();
        text_ += bracket;
        is_first_ = false;
    }
    /// Of an array; a value follows.
    void element() { next(); }
    /// Of an object; a value follows.
    void key(const char* name) {
        next();
        text_ += fmt::format("\"{}\": ", name);
    }

    void value(const std::string& text) { text_ += quoted(text); }
    void value(double number) {
        text_ += std::isfinite(number) ? fmt::format("{}", number) : "null";
    }
    void value(int number) { text_ += std::to_string(number); }
    void value(bool flag) { text_ += flag ? "true" : "false"; }
    void value(const std::optional<double>& number) {
        if (number)
            value(*number);
        else
            text_ += "null";
    }
    void value(const std::vector<std::string>& texts) {
        begin('[');
        for (const std::string& text : texts) {
            element();
            value(text);
        }
        end();
    }
    template <class T>
    void member(const char* name, const T& of) {
        key(name);
        value(of);
    }
    void member(const char* name, const char* of) { member(name, std::string(of)); }
    /// Left out where it is empty.
    void said(const char* name, const std::string& text) {
        if (!text.empty()) member(name, text);
    }

    std::string finish() && { return std::move(text_) + "\n"; }

private:
    void new_line() { text_ += "\n" + std::string(2 * closing_.size(), ' '); }
    void next() {
        if (!is_first_) text_ += ",";
        is_first_ = false;
        new_line();
    }

    std::string text_, closing_;
    bool is_first_ = true;
};

void write_diplotype(const AdvisedDiplotype& known, JsonWriter& json) {
    json.begin('{');
    json.member("diplotype", known.diplotype);
    json.member("probability", known.probability);
    json.said("activity_score", known.score);
    json.member("phenotype", known.phenotype);
    json.said("activity_score_under_inhibition", known.score_under_inhibition);
    json.said("phenotype_under_inhibition", known.phenotype_under_inhibition);
    json.end();
}

void write_genes(const Advice& advice, JsonWriter& json) {
    json.begin('[');
    for (const AdvisedGene& gene : advice.genes) {
        json.element();
        json.begin('{');
        json.member("gene", gene.gene);
        json.member("evidence", gene.evidence);
        json.said("inhibition", gene.inhibition);
        json.key("diplotypes");
        json.begin('[');
        for (const AdvisedDiplotype& known : gene.diplotypes) {
            json.element();
            write_diplotype(known, json);
        }
        json.end();
        json.end();
    }
    json.end();
}

void write_recommendation(const pkpd::DrugRecommendations& drug,
                          const pkpd::Recommendation& row,
                          JsonWriter& json) {
    json.begin('{');
    json.key("genotype");
    json.begin('[');
    for (const pkpd::GenotypeCondition& condition : row.genotype) {
        json.element();
        json.value(pkpd::condition_text(condition, *drug.genes.at(condition.gene)));
    }
    json.end();
    json.said("condition", row.condition);
    json.member("patients", row.patients);
    json.member("action", std::string(pkpd::name(row.action)));
    if (row.dose_factor) {
        json.member("dose_factor_min", row.dose_factor->first);
        json.member("dose_factor_max", row.dose_factor->second);
    }
    json.said("dose_limit", row.dose_limit);
    json.said("monitoring", row.monitoring);
    json.member("alternatives", row.alternatives);
    json.member("implication", row.implication);
    json.member("strength", row.strength);
    json.member("year", row.year);
    json.member("basis", row.basis);
    json.member("is_remembered", row.is_remembered());
    json.end();
}

void write_equation(const EquationDose& dose, JsonWriter& json) {
    json.begin('{');
    json.member("equation", dose.id);
    json.member("name", dose.name);
    json.member("dose", dose.dose);
    json.member("unit", dose.unit);
    if (dose.daily) {
        json.member("daily", *dose.daily);
        json.member("daily_unit", dose.daily_unit);
    }
    json.member("missing", dose.missing);
    json.member("remarks", dose.remarks);
    json.member("confidence", dose.confidence);
    json.member("source", dose.source);
    json.end();
}

void write_model(const ModelDose& dose, JsonWriter& json) {
    json.begin('{');
    json.member("model", dose.id);
    json.member("name", dose.name);
    json.member("exposure", dose.exposure);
    json.member("usual_doses", dose.usual);
    json.member("reference", dose.reference);
    json.member("exposure_ratio", dose.ratio);
    json.member("dose_factor", dose.factor);
    json.member("missing", dose.missing);
    json.member("remarks", dose.remarks);
    json.member("source", dose.source);
    json.end();
}

template <class T, class Write>
void write_list(const char* name, const std::vector<T>& list, JsonWriter& json, Write write) {
    json.key(name);
    json.begin('[');
    for (const T& one : list) {
        json.element();
        write(one, json);
    }
    json.end();
}

void write_alternative(const Advice& advice,
                       const AdviceAlternative& alternative,
                       JsonWriter& json) {
    json.begin('{');
    json.member("probability", alternative.probability);
    json.key("diplotypes");
    json.begin('{');
    for (std::size_t g = 0; g < advice.genes.size(); ++g)
        if (!advice.genes[g].diplotypes.empty())
            json.member(advice.genes[g].gene.c_str(),
                        advice.genes[g].diplotypes[alternative.diplotypes[g]].diplotype);
    json.end();
    write_list("recommendations",
               alternative.recommendations,
               json,
               [&](const pkpd::Recommendation* row, JsonWriter& inner) {
                   write_recommendation(*advice.recommendations, *row, inner);
               });
    write_list("equations", alternative.equations, json, write_equation);
    write_list("models", alternative.models, json, write_model);
    json.end();
}

} // namespace

std::string advice_json(const Advice& advice) {
    JsonWriter json;
    json.begin('{');
    json.member("format", "gemel advice 1");
    json.member("notice", "for research; what sources say, no medical advice");
    json.member("drug", advice.drug);
    json.member("patient", advice.patient);
    json.key("genes");
    write_genes(advice, json);
    json.member("comedication", advice.comedication);
    if (advice.recommendations) {
        json.member("recommendations_source", advice.recommendations->source);
        json.key("basis");
        json.begin('{');
        for (const auto& [letter, meaning] : advice.recommendations->basis)
            json.member(letter.c_str(), meaning);
        json.end();
    }
    json.member("recommendations_agree", advice.agree());
    write_list("alternatives",
               advice.alternatives,
               json,
               [&](const AdviceAlternative& alternative, JsonWriter& inner) {
                   write_alternative(advice, alternative, inner);
               });
    json.end();
    return std::move(json).finish();
}

} // namespace gemel::scenarios
