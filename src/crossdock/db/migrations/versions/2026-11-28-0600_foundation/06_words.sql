-- Names that are looked for by a part of them. Each word, cut to 16 letters, is kept with all of its ends of three
-- letters and more, so that a part of it is how one of them begins; the shop before each keeps shops apart.
create function word_ends(shop_id bigint, name text) returns tsvector
language sql immutable strict parallel safe cost 10000 as $$
    select coalesce(array_to_tsvector(array_agg(distinct shop_id || ':' || substr(word, place, 16))), '')
    from regexp_split_to_table(lower(name), '[^[:alnum:]]+') word
    cross join generate_series(1, length(word) - 2) place
$$;

-- What every name has of which this text is a part; null where the text has no word of three letters.
create function words_asked(shop_id bigint, part text) returns tsquery
language sql immutable strict parallel safe as $$
    select string_agg(quote_literal(shop_id || ':' || left(word, 16)) || ':*', ' & ')::tsquery
    from regexp_split_to_table(lower(part), '[^[:alnum:]]+') word where length(word) > 2
$$;
